using System.Globalization;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>Findings in words.</summary>
internal static class Findings
{
    /// <summary>A finding the way compilers write them, so that editors can jump to the place.</summary>
    public static string Line(IssueFile file, Finding finding) => string.Create(CultureInfo.InvariantCulture,
        $"{file.Path}:{finding.Line}:{finding.Column}: {finding.Severity.ToString().ToLowerInvariant()} {finding.Code}: {finding.Message}");

    /// <summary>The issue of a file without errors.</summary>
    /// <exception cref="RefusedException">There are errors; all are in the message.</exception>
    public static Issue Require(IssueFile file)
        => file.IsValid
            ? file.Issue!
            : throw new RefusedException(string.Join('\n', file.Findings.Where(finding => finding.Severity == Severity.Error).Select(finding => Line(file, finding))));
}
