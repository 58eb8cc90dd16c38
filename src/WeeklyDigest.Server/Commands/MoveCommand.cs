using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage;
using WeeklyDigest.Storage.Moving;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>move --to postgres --connection CONNECTION</c>: carries a SQLite installation over to a PostgreSQL server, whole and proven, or not at all.</summary>
internal static class MoveCommand
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(2);

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var to = new Option<string>("--to") { HelpName = "postgres", Required = true, Description = "The kind of database to move to." };
        to.AcceptOnlyFromAmong("postgres");
        var connection = new Option<string>("--connection")
        {
            HelpName = "CONNECTION", Required = true,
            Description = "Where to: Host=…;Database=…;Username=…;Password=…, or - to read it from standard input, where nobody else on this machine sees it.",
        };
        var command = new Command("move", "Carry everything over from SQLite to a PostgreSQL server, and prove that it is all there.") { to, connection };
        command.SetAction(edge.Run((run, parsed, cancel) => RunAsync(run, parsed.GetRequiredValue(connection), cancel)));
        return command;
    }

    private static async Task<int> RunAsync(CommandRun run, string connection, CancellationToken cancel)
    {
        var settings = run.Settings;
        if (settings.Storage.Provider != "sqlite") throw new RefusedException($"Storage:Provider is {settings.Storage.Provider} already; there is nothing to move.");
        if (!Database.Exists(settings.Storage))
            throw new RefusedException(LostLedger.Find(settings.Storage, settings.Paths.Jobs) ?? "There is no database yet; set Storage:Provider to postgres and begin there.");
        if (connection == "-") connection = (await Inputs.ReadLineAsync(run, cancel))?.Trim() ?? "";
        if (StorageOptions.ProblemOfServer(connection) is { } problem) throw new RefusedException($"--connection {problem}");
        RefuseLiving(settings.Paths.Data);
        var target = new StorageOptions { Provider = "postgres", ConnectionString = connection };
        var report = await ShowAsync(run, progress => DatabaseMove.RunAsync(settings.Storage, target, PostgresJobs.Tables, progress, cancel));
        await WriteAsync(run.Out, report);
        return CommandLine.Done;
    }

    private static void RefuseLiving(string dataFolder)
    {
        var living = ProcessOwner.Living(dataFolder);
        if (living.Count > 0)
            throw new RefusedException($"A server or a send works with this installation (machine/process/mark: {string.Join(", ", living)}). Stop it, then move; nothing was moved.");
    }

    private static async Task<MoveReport> ShowAsync(CommandRun run, Func<IProgress<MoveProgress>, Task<MoveReport>> move)
    {
        if (!run.Host.OutIsTerminal) return await move(new Lines(run));
        MoveReport? report = null;
        await run.Console.Progress().AutoClear(true)
            .Columns(new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(async bars => report = await move(new Bar(bars.AddTask("connecting"))));
        return report!;
    }

    private static async Task WriteAsync(TextWriter target, MoveReport report)
    {
        if (report.WasMovedBefore) await target.WriteLineAsync("An earlier move had carried everything over; this one only proved it.");
        foreach (var table in report.Tables)
            await target.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{table.Name,-20} {table.Rows,12} rows, the same on both sides (SHA-256 {table.Checksum[..16]})"));
        var states = string.Join(", ", report.States.Select(state => string.Create(CultureInfo.InvariantCulture, $"{state.Value} {state.Key}")));
        await target.WriteLineAsync($"Deliveries by state, the same on both sides: {(states.Length > 0 ? states : "none")}.");
        await target.WriteLineAsync(
            """
            Moved. Now set, on every node:
              Storage__Provider=postgres
              Storage__ConnectionString=(what you gave as --connection; best in the environment only)
            The file stays as a backup and refuses to be used. Messages in the built-in inbox and the history of jobs stay where they are.
            Who is signed in has to sign in anew.
            """);
    }

    private static string Describe(MoveProgress progress)
        => string.Create(CultureInfo.InvariantCulture, $"{(progress.IsCheck ? "reading back" : "writing")} {progress.Table}, {progress.Done} of {progress.Total} rows");

    private sealed class Bar(ProgressTask task) : IProgress<MoveProgress>
    {
        public void Report(MoveProgress value)
        {
            task.MaxValue = Math.Max(1, value.Total);
            task.Value = value.Done;
            task.Description = Markup.Escape(Describe(value));
        }
    }

    private sealed class Lines(CommandRun run) : IProgress<MoveProgress>
    {
        private long last = run.Host.Time.GetTimestamp();

        public void Report(MoveProgress value)
        {
            if (run.Host.Time.GetElapsedTime(last) < ReportEvery) return;
            last = run.Host.Time.GetTimestamp();
            run.Out.WriteLine(Describe(value));
        }
    }
}
