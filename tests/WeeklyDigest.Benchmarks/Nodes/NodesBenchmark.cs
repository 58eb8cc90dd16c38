using System.CommandLine;

namespace WeeklyDigest.Benchmarks.Nodes;

/// <summary>How fast one, two, three and four nodes send one mailing from one PostgreSQL, when the relay takes its time for each answer.</summary>
internal static class NodesBenchmark
{
    public static Command Create()
    {
        var connections = new Option<int>("--connections") { Description = "Connections of each node.", DefaultValueFactory = _ => 16 };
        var delay = new Option<int>("--delay") { Description = "What the relay takes for each answer, in milliseconds.", DefaultValueFactory = _ => 50 };
        var most = new Option<int>("--nodes") { Description = "The most nodes.", DefaultValueFactory = _ => 4 };
        var seconds = new Option<int>("--seconds") { Description = "How long each number of nodes is measured.", DefaultValueFactory = _ => 15 };
        var command = new Command("nodes", "Recipients per second with a growing number of nodes and a slow relay.") { connections, delay, most, seconds };
        command.SetAction(parsed => RunAsync(
            parsed.GetValue(connections), TimeSpan.FromMilliseconds(parsed.GetValue(delay)), parsed.GetValue(most), TimeSpan.FromSeconds(parsed.GetValue(seconds))));
        return command;
    }

    private static async Task RunAsync(int connections, TimeSpan delay, int most, TimeSpan window)
    {
        var one = 0.0;
        for (var count = 1; count <= most; count++)
        {
            var run = await NodesRun.MeasureAsync(count, connections, delay, window);
            if (count == 1) one = run.Rate;
            Figures.Print($"{count} nodes of {connections} connections, {delay.TotalMilliseconds:f0} ms per answer: {run.Rate:f0}/s, {run.Rate / one:f2} times one; of {Environment.ProcessorCount} cores the nodes took {run.Nodes:f2}, the sink {run.Sink:f2}, PostgreSQL and all else {run.Others:f2}, {run.Idle:f2} were idle");
        }
    }
}
