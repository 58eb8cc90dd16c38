using System.Globalization;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>Says what the import of list files did: counts on stdout, skipped rows on stderr.</summary>
internal static class ListReports
{
    private const int ShownProblems = 20;

    /// <summary>Writes a report for each file.</summary>
    public static async Task WriteAsync(CommandRun run, IEnumerable<ListFileReport> reports)
    {
        foreach (var report in reports)
        {
            if (report.Refusal is not null)
            {
                await run.Error.WriteLineAsync($"{report.Path}: not imported. {report.Refusal}");
                continue;
            }
            var counts = report.Counts;
            await run.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"List {report.List}: {counts.Added} added, {counts.Updated} updated, {counts.Unchanged} unchanged, {counts.KeptOut} kept out, {report.ProblemCount} skipped."));
            foreach (var problem in report.Problems.Take(ShownProblems))
                await run.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{report.Path}:{problem.Line}: {problem.Message}"));
            if (report.ProblemCount > ShownProblems)
                await run.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{report.Path}: {report.ProblemCount - ShownProblems} more rows skipped."));
        }
    }
}
