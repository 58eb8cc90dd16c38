using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>Which issue the weekly job sends next.</summary>
/// <param name="File">The issue; null when none is ready.</param>
/// <param name="Broken">Files with errors: not ready, whatever their date, and in nobody's way.</param>
internal sealed record NextIssue(IssueFile? File, IReadOnlyList<IssueFile> Broken)
{
    /// <summary>Chooses the oldest issue that is ready and was not published.</summary>
    /// <param name="files">The issues folder, oldest first.</param>
    /// <param name="published">Slugs with a mailing in any state.</param>
    /// <param name="today">The date in the schedule's time zone.</param>
    public static NextIssue Choose(IReadOnlyList<IssueFile> files, IReadOnlySet<string> published, DateOnly today)
    {
        var open = files.Where(file => !published.Contains(file.Slug)).ToList();
        return new NextIssue(
            open.Find(file => file.IsValid && file.Issue!.IsReady(today)),
            open.FindAll(file => !file.IsValid));
    }

    /// <summary>The errors of a file, a line each, as <c>file:line:column message</c>.</summary>
    public static string ErrorsOf(IssueFile file) => string.Join('\n', file.Findings
        .Where(finding => finding.Severity == Severity.Error)
        .Select(finding => $"{Path.GetFileName(file.Path)}:{finding.Line}:{finding.Column} {finding.Message}"));
}
