using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>Findings as a reason to refuse.</summary>
internal static class Findings
{
    /// <summary>The issue of a file without errors.</summary>
    /// <exception cref="RefusedException">There are errors; all are in the message.</exception>
    public static Issue Require(IssueFile file)
        => file.IsValid
            ? file.Issue!
            : throw new RefusedException(string.Join('\n', file.Findings.Where(finding => finding.Severity == Severity.Error).Select(finding => finding.In(file.Path))));
}
