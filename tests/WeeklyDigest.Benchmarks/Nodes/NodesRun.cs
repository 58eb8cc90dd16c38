using System.Diagnostics;
using System.Globalization;
using WeeklyDigest.Benchmarks.Sinks;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Benchmarks.Nodes;

/// <summary>A stretch of a mailing that so many nodes send at once.</summary>
/// <param name="Rate">Recipients per second that became sent.</param>
/// <param name="Nodes">Cores that the nodes took.</param>
/// <param name="Sink">Cores that the sink took.</param>
/// <param name="Idle">Cores that nobody took.</param>
internal sealed record NodesRun(double Rate, double Nodes, double Sink, double Idle)
{
    private const string Schema = "weeklydigest";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Cores that the rest took: PostgreSQL, and whatever else the machine does.</summary>
    public double Others => Environment.ProcessorCount - Nodes - Sink - Idle;

    /// <summary>Sends with so many nodes, and measures once all of them are at work.</summary>
    /// <exception cref="InvalidOperationException">The mailing was over too soon.</exception>
    public static async Task<NodesRun> MeasureAsync(int count, int connections, TimeSpan delay, TimeSpan window)
    {
        using var server = new PrivatePostgres();
        var connection = server.CreateDatabase();
        var database = new Npgsql.NpgsqlConnectionStringBuilder(connection).Database!;
        using var sink = await SinkProcess.StartAsync(SinkKind.Ours, delay);
        var folders = Enumerable.Range(0, count).Select(_ => new BenchmarkFolder()).ToList();
        var nodes = new List<Process>();
        try
        {
            foreach (var folder in folders) folder.UseRelay(sink.Port, connections).Set("Storage:Provider", "postgres").Set("Storage:ConnectionString", connection);
            folders[0].WriteList(RowsFor(count * connections, delay, window));
            await folders[0].RunAsync("subscribers", "import", folders[0].PathOf("list.csv"), "--list", "all");
            foreach (var folder in folders.Skip(1)) nodes.Add(folder.Set("Jobs:Workers", 0).Set("Urls", "http://127.0.0.1:0").Start("serve"));
            nodes.Add(folders[0].Start("send", BenchmarkFolder.Issue, "--list", "all"));
            await UntilAsync(() => Number(server, database, "SELECT count(DISTINCT owner) FROM delivery WHERE state IN ('claimed', 'sending')") == count);
            return await MeasureAsync(() => Number(server, database, "SELECT count(*) FROM delivery WHERE state = 'sent'"), nodes, sink, window);
        }
        finally
        {
            foreach (var node in nodes) End(node);
            foreach (var folder in folders) folder.Dispose();
        }
    }

    private static async Task<NodesRun> MeasureAsync(Func<long> sent, IReadOnlyList<Process> nodes, SinkProcess sink, TimeSpan window)
    {
        var (clock, before, nodesBefore, sinkBefore, idleBefore) = (Stopwatch.StartNew(), sent(), Processor(nodes), sink.Processor, IdleTime());
        await Task.Delay(window, TimeProvider.System);
        var (took, after) = (clock.Elapsed, sent());
        if (nodes.Any(node => node.HasExited)) throw new InvalidOperationException("A node ended before the measurement did.");
        return new NodesRun((after - before) / took.TotalSeconds, (Processor(nodes) - nodesBefore) / took, (sink.Processor - sinkBefore) / took, (IdleTime() - idleBefore) / took);
    }

    // A message takes two answers at least: to its envelope, and to its end. Enough for the window, and for the start before it.
    private static int RowsFor(int connections, TimeSpan delay, TimeSpan window)
        => (int)(connections / (2 * delay.TotalSeconds) * (window.TotalSeconds + 20));

    private static long Number(PrivatePostgres server, string database, string query)
        => server.Scalar<long>(query.Replace("FROM delivery", $"FROM {Schema}.delivery", StringComparison.Ordinal), database);

    private static TimeSpan Processor(IEnumerable<Process> processes) => processes.Aggregate(TimeSpan.Zero, (sum, process) =>
    {
        process.Refresh();
        return sum + process.TotalProcessorTime;
    });

    // The fourth and fifth column of the machine's line: idle, and waiting for a disk; in hundredths of a second.
    private static TimeSpan IdleTime() => TimeSpan.FromMilliseconds(
        File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[4..6].Sum(column => long.Parse(column, CultureInfo.InvariantCulture)) * 10);

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var clock = Stopwatch.StartNew(); !condition();)
        {
            if (clock.Elapsed > Limit) throw new InvalidOperationException("Not all nodes began to send.");
            await Task.Delay(Look, TimeProvider.System);
        }
    }

    private static void End(Process node)
    {
        if (!node.HasExited) node.Kill();
        node.WaitForExit();
        node.Dispose();
    }
}
