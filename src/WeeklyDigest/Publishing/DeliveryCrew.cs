using System.Buffers;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>
/// The loops of one run: one for each connection, and a stand-in for each that waits too long for an answer. A loop that was stood in for
/// ends when its answer has come.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="feed">Where deliveries come from.</param>
/// <param name="guard">Runs a loop and stops the run when it fails.</param>
internal sealed class DeliveryCrew(RunParts run, ClaimFeed feed, Func<Func<Task>, Task> guard)
{
    // Of all loops: hundreds may wait for an answer at once, and none of these needs its message any more.
    private readonly ArrayPool<byte> memory = ArrayPool<byte>.Create(Array.MaxLength, run.Sessions.Connections);
    private readonly Lock gate = new();
    private readonly List<Task> loops = [];
    private bool isOver;

    /// <summary>Works until the feed is over or the run stops.</summary>
    public async Task RunAsync()
    {
        for (var i = 0; i < run.Sessions.Connections; i++) StandIn();
        var failed = Task.CompletedTask;
        while (TakeLoops() is { Length: > 0 } some)
        {
            // However they end: the others are waited for as well.
            var all = Task.WhenAll(some);
            await Task.WhenAny(all);
            if (failed.IsCompletedSuccessfully) failed = all;
        }
        await failed;
    }

    private void StandIn()
    {
        lock (gate)
        {
            // What goes wrong with it does so over there: the pool waits for us.
            if (!isOver) loops.Add(guard(() => OwnThread.RunAsync("connection", async () => await new DeliveryLoop(run, feed, new MessageBuffer(memory), StandIn).RunAsync())));
        }
    }

    // Those that were added while the ones before were waited for; none: all have ended, and nobody stands in any more.
    private Task[] TakeLoops()
    {
        lock (gate)
        {
            var some = loops.ToArray();
            loops.Clear();
            isOver = some.Length == 0;
            return some;
        }
    }
}
