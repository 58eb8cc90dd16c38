using System.CommandLine;
using WeeklyDigest.Benchmarks.Sinks;

namespace WeeklyDigest.Benchmarks;

/// <summary>Memory over the whole of a large mailing.</summary>
internal static class MemoryBenchmark
{
    private const int Shown = 10;

    public static Command Create()
    {
        var recipients = new Option<int>("--recipients") { Description = "Recipients.", DefaultValueFactory = _ => 1_000_000 };
        var connections = new Option<int>("--connections") { Description = "Connections at once.", DefaultValueFactory = _ => 16 };
        var command = new Command("memory", "Resident memory of `send` from its first message to its last.") { recipients, connections };
        command.SetAction(parsed => RunAsync(parsed.GetValue(recipients), parsed.GetValue(connections)));
        return command;
    }

    private static async Task RunAsync(int recipients, int connections)
    {
        using var folder = new BenchmarkFolder();
        // As the README has it: the list was imported, and `send` reads its file again.
        Directory.CreateDirectory(folder.PathOf("subscribers"));
        File.Copy(folder.WriteList(recipients), folder.PathOf("subscribers/all.csv"));
        var run = await SendRun.MeasureAsync(folder, connections, SinkKind.Ours);
        foreach (var part in run.Samples.Chunk(Math.Max(1, (run.Samples.Count + Shown - 1) / Shown)))
            Figures.Print($"after {(part[^1].At - run.Samples[0].At).TotalSeconds:f0} s: {part.Max(sample => sample.Resident) >> 20} MB resident at most");
        Figures.Print($"{run.Sent} sent, {run.Received.Recipients} received, {run.Rate:f0}/s; {run.Samples.Max(sample => sample.Resident) >> 20} MB at most while sending, {run.Peak >> 20} MB with the start");
    }
}
