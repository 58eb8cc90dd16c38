using System.CommandLine;
using System.Globalization;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>check ISSUE [--json]</c>: everything preflight has to say, with severity, line and column. Needs no database.</summary>
internal static class CheckCommand
{
    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var issue = Inputs.Issue();
        var json = Inputs.Json();
        var command = new Command("check", "Check an issue: text, templates, lists.") { issue, json };
        command.SetAction(edge.Run((run, parsed, cancel) => RunAsync(run, parsed.GetRequiredValue(issue), parsed.GetValue(json), cancel)));
        return command;
    }

    private static async Task<int> RunAsync(CommandRun run, string name, bool json, CancellationToken cancel)
    {
        var file = run.Issue(name);
        var findings = await new IssueCheck(run.Settings, run.Host.Time).FindAsync(file, cancel);
        var ok = findings.All(finding => finding.Severity != Severity.Error);
        if (json) await Json.WriteAsync(run.Out, new CheckResult(file.Slug, ok, findings));
        else await WriteLinesAsync(run.Out, file, findings, ok);
        return ok ? CommandLine.Done : CommandLine.Failed;
    }

    private static async Task WriteLinesAsync(TextWriter target, IssueFile file, IReadOnlyList<Finding> findings, bool ok)
    {
        foreach (var finding in findings)
            await target.WriteLineAsync(finding.In(file.Path));
        var errors = findings.Count(finding => finding.Severity == Severity.Error);
        var ready = findings.Any(finding => finding.Code == IssueCheck.PublishedOtherwise) ? "no errors" : "ready to send";
        await target.WriteLineAsync(ok ? $"{file.Slug}: {ready}." : string.Create(CultureInfo.InvariantCulture, $"{file.Slug}: {errors} {(errors == 1 ? "error" : "errors")}."));
    }
}

/// <summary>The JSON of a check.</summary>
internal sealed record CheckResult(string Issue, bool Ok, IReadOnlyList<Finding> Findings);
