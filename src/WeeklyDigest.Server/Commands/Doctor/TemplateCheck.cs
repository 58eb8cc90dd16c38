using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>Compiles the templates and renders the newest issue that has no errors of its own.</summary>
internal static class TemplateCheck
{
    private const string Area = "templates";

    /// <summary>Looks.</summary>
    public static async Task<Diagnosis> RunAsync(ServerSettings settings, TimeProvider time, CancellationToken cancel)
    {
        var issues = new IssueLibrary(settings.Paths.Issues).All();
        if (issues.LastOrDefault(issue => issue.IsValid) is not { } newest)
            return Diagnosis.Warning(Area, $"No issue in {settings.Paths.Issues} can be rendered.", issues.Count == 0 ? "Write one, and run this again." : $"Run `weeklydigest check {issues[^1].Slug}`.");
        // Not its lists: to ask for them is to open the database, which brings it to this version.
        IReadOnlyList<Finding> findings = [.. newest.Findings, .. await new IssueCheck(settings, time).RenderAsync(newest.Issue!, cancel)];
        var error = findings.FirstOrDefault(finding => finding.Severity == Severity.Error);
        if (error is not null) return Diagnosis.Problem(Area, $"{newest.Slug} cannot be sent: {error.Message}", $"Run `weeklydigest check {newest.Slug}`.");
        return findings.FirstOrDefault(finding => finding.Severity == Severity.Warning) is { } warning
            ? Diagnosis.Warning(Area, $"{newest.Slug} renders, but: {warning.Message}", $"Run `weeklydigest check {newest.Slug}`.")
            : Diagnosis.Ok(Area, $"{newest.Slug} renders.");
    }
}
