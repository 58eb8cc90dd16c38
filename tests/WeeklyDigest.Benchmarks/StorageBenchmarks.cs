using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace WeeklyDigest.Benchmarks;

/// <summary>A large list into the database, and a mailing to all of it, beside the sqlite3 shell; whole commands, start of the program included.</summary>
internal static class StorageBenchmarks
{
    private static readonly Option<int> Rows = new("--rows") { Description = "Subscribers.", DefaultValueFactory = _ => 1_000_000 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds; the medians count.", DefaultValueFactory = _ => 3 };

    public static Command Import()
    {
        var command = new Command("import", "Seconds for a CSV file of subscribers.") { Rows, Rounds };
        command.SetAction(parsed => CompareAsync(parsed.GetValue(Rows), parsed.GetValue(Rounds), async folder =>
        {
            File.Delete(folder.PathOf("shell.db"));
            var shell = await SqliteShell.ImportAsync(folder.PathOf("shell.db"), folder.PathOf("list.csv"));
            await ShellWithAllTablesAsync(folder);
            return (shell, await ImportAsync(folder));
        }));
        return command;
    }

    public static Command Publish()
    {
        var command = new Command("publish", "Seconds to publish an issue to all subscribers, by `send --at`.") { Rows, Rounds };
        command.SetAction(parsed => CompareAsync(parsed.GetValue(Rows), parsed.GetValue(Rounds), async folder =>
        {
            await ImportAsync(folder);
            // An installation compiles its templates once, not for each issue.
            await folder.RunAsync("render", BenchmarkFolder.Issue, "--out", folder.PathOf("out"));
            File.Copy(folder.PathOf("data/weeklydigest.db"), folder.PathOf("shell.db"), overwrite: true);
            var shell = await SqliteShell.PublishAsync(folder.PathOf("shell.db"));
            return (shell, await TimeAsync(() => folder.RunAsync("send", BenchmarkFolder.Issue, "--list", "all", "--at", TimeProvider.System.GetUtcNow().AddDays(60).ToString("yyyy-MM-ddTHH:mmZ", CultureInfo.InvariantCulture))));
        }));
        return command;
    }

    // For the eye only: what of our time the tables themselves take.
    private static async Task ShellWithAllTablesAsync(BenchmarkFolder folder)
    {
        folder.Reset();
        await File.WriteAllTextAsync(folder.PathOf("empty.csv"), "email,name\n");
        await folder.RunAsync("subscribers", "import", folder.PathOf("empty.csv"), "--list", "all");
        File.Copy(folder.PathOf("data/weeklydigest.db"), folder.PathOf("shell.db"), overwrite: true);
        var took = await SqliteShell.ImportWholeAsync(folder.PathOf("shell.db"), folder.PathOf("list.csv"));
        Figures.Print($"the sqlite3 shell with the same rows in all our tables: {took.TotalSeconds:f2} s");
    }

    private static async Task CompareAsync(int rows, int rounds, Func<BenchmarkFolder, Task<(TimeSpan Shell, TimeSpan Ours)>> measure)
    {
        using var folder = new BenchmarkFolder();
        folder.WriteList(rows);
        List<(TimeSpan Shell, TimeSpan Ours)> all = [];
        for (var round = 1; round <= rounds; round++)
        {
            all.Add(await measure(folder));
            var (shell, ours) = all[^1];
            Figures.Print($"round {round}: sqlite3 shell {shell.TotalSeconds:f2} s, ours {ours.TotalSeconds:f2} s, {folder.Samples()[^1].Processor.TotalSeconds:f2} s of processor time, {folder.Samples().Max(sample => sample.Resident) >> 20} MB resident at most");
        }
        var (shells, our) = (all.Select(pair => pair.Shell.TotalSeconds).Median(), all.Select(pair => pair.Ours.TotalSeconds).Median());
        Figures.Print($"median: sqlite3 shell {shells:f2} s, ours {our:f2} s, {our / shells:f2} times as long");
    }

    private static Task<TimeSpan> ImportAsync(BenchmarkFolder folder)
    {
        folder.Reset();
        return TimeAsync(() => folder.RunAsync("subscribers", "import", folder.PathOf("list.csv"), "--list", "all"));
    }

    private static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var clock = Stopwatch.StartNew();
        await work();
        return clock.Elapsed;
    }
}
