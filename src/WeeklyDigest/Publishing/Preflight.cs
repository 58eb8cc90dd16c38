using WeeklyDigest.Issues;

namespace WeeklyDigest.Publishing;

/// <summary>The gate before publishing and previewing: an issue with errors goes nowhere.</summary>
internal static class Preflight
{
    /// <summary>The issue of a file without errors.</summary>
    /// <exception cref="RefusedException">There are errors; the message has every finding as <c>file:line:column: severity code: message</c>.</exception>
    public static Issue Require(IssueFile file)
        => file.IsValid
            ? file.Issue!
            : throw new RefusedException($"{file.Path} has errors; correct them and try again:\n{string.Join('\n', file.Findings.Select(finding => finding.In(file.Path)))}");

    /// <summary>Refuses a draft.</summary>
    /// <exception cref="RefusedException">It is one.</exception>
    public static void RefuseDraft(IssueFile file)
    {
        if (file.Issue is { Draft: true }) throw new RefusedException($"{file.Path} is a draft; remove 'draft: true' from its front matter to publish it, or preview it as it is.");
    }
}
