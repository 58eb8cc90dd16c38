using System.Globalization;
using System.Text.Json;
using WeeklyDigest.Benchmarks.Sinks;

namespace WeeklyDigest.Benchmarks;

/// <summary>One <c>send</c> of the whole mailing, measured from the first claim to the last outcome, as the ledger has it.</summary>
/// <param name="Sent">Rows that are sent.</param>
/// <param name="Took">From start to finish of the mailing.</param>
/// <param name="Samples">What the process used meanwhile.</param>
/// <param name="Peak">The most memory the process ever had, its start included.</param>
/// <param name="Received">What the sink counted.</param>
/// <param name="SinkProcessor">What the sink used.</param>
/// <param name="Awaited">How many messages a kill would have left uncertain, from start to end of the process.</param>
internal sealed record SendRun(long Sent, TimeSpan Took, IReadOnlyList<Sample> Samples, long Peak, SinkCounts Received, TimeSpan SinkProcessor, IReadOnlyList<int> Awaited)
{
    /// <summary>Recipients per second.</summary>
    public double Rate => Sent / Took.TotalSeconds;

    /// <summary>Bytes allocated per message.</summary>
    public double Garbage => (double)(Samples[^1].Allocated - Samples[0].Allocated) / Sent;

    /// <summary>Processor time per message of the program.</summary>
    public TimeSpan Processor => (Samples[^1].Processor - Samples[0].Processor) / Sent;

    /// <summary>Sends to the subscribers of list.csv.</summary>
    /// <exception cref="InvalidOperationException">The two sides did not count the same.</exception>
    public static async Task<SendRun> MeasureAsync(BenchmarkFolder folder, int connections, SinkKind sinkKind)
    {
        folder.Reset();
        await folder.RunAsync("subscribers", "import", folder.PathOf("list.csv"), "--list", "all");
        using var sink = await SinkProcess.StartAsync(sinkKind);
        folder.UseRelay(sink.Port, connections);
        var sending = folder.RunAsync("send", BenchmarkFolder.Issue, "--list", "all");
        var awaited = await Awaiting.LookAsync(folder.PathOf("data/locks"), sending);
        await sending;
        var samples = folder.Samples();
        var processor = sink.Processor;
        var received = await sink.StopAsync();
        var status = JsonDocument.Parse(await folder.RunAsync("status", BenchmarkFolder.Issue, "--json")).RootElement;
        var (started, finished) = (Time(status, "startedAt"), Time(status, "finishedAt"));
        var run = new SendRun(
            status.GetProperty("sent").GetInt64(), finished - started, [.. samples.Where(sample => sample.At >= started && sample.At <= finished)],
            samples.Max(sample => sample.Resident), received, processor, awaited);
        return run.Sent == status.GetProperty("total").GetInt64() && run.Sent == received.Messages && run.Sent == (received.Different ?? received.Recipients)
            ? run
            : throw new InvalidOperationException($"The ledger says {run.Sent} sent, the sink received {received}.");
    }

    private static DateTimeOffset Time(JsonElement status, string name)
        => DateTimeOffset.Parse(status.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);
}
