using System.Threading.Channels;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Keeps claimed deliveries ready for the connections: enough that none waits for a claim, few enough that memory stays flat and another
/// process gets its share. What is left when the run stops, or while no relay can be used, is given back.
/// </summary>
internal sealed class ClaimFeed(RunParts run, Func<Task<RunRest>> look)
{
    private const int MaxReady = 1000;
    private static readonly TimeSpan Brisk = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan OthersLook = TimeSpan.FromSeconds(1);

    private readonly Channel<Delivery> ready = Channel.CreateUnbounded<Delivery>();
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int outstanding;
    private int target;
    private long claimedAt;

    /// <summary>Waits until there is something to send.</summary>
    /// <returns>False when the run is over.</returns>
    public ValueTask<bool> WaitAsync(CancellationToken cancel) => ready.Reader.WaitToReadAsync(cancel);

    /// <summary>Takes a delivery when one is ready.</summary>
    public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Delivery? delivery)
    {
        if (!ready.Reader.TryRead(out delivery)) return false;
        if (ready.Reader.Count <= Volatile.Read(ref target) / 2) wake.Writer.TryWrite(true);
        return true;
    }

    /// <summary>Told when a taken delivery is no longer ours: its outcome is durable, or it was given back.</summary>
    public void Done()
    {
        if (Interlocked.Decrement(ref outstanding) == 0) wake.Writer.TryWrite(true);
    }

    /// <summary>Claims until nothing is left to do or the run stops; then gives back what nobody took.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (!run.Stop.IsRequested && await StepAsync())
            {
            }
        }
        finally
        {
            ready.Writer.TryComplete();
        }
        await GiveBackAsync();
    }

    private async Task<bool> StepAsync()
    {
        var capacity = run.Sessions.Capacity;
        if (capacity == 0)
        {
            Volatile.Write(ref target, 0);
            await GiveBackAsync();
            await PauseAsync(Brisk);
            return true;
        }
        if (ready.Reader.Count > target / 2)
        {
            await PauseAsync(Slow);
            return true;
        }
        Aim(capacity);
        // At least one: the aim may just have been lowered below what is ready.
        return await ClaimAsync(Math.Max(1, target - ready.Reader.Count)) > 0 || await IsMoreToComeAsync();
    }

    // A batch should last a quarter of a second to two: claiming costs a transaction, and what is claimed nobody else can take.
    private void Aim(int capacity)
    {
        var least = capacity == 1 ? 1 : 2 * capacity;
        var sinceLast = run.Time.GetElapsedTime(claimedAt);
        var next = sinceLast < Brisk ? target * 2 : sinceLast > Slow ? target / 2 : target;
        Volatile.Write(ref target, Math.Clamp(next, least, Math.Max(least, MaxReady)));
    }

    private async Task<int> ClaimAsync(int count)
    {
        claimedAt = run.Time.GetTimestamp();
        // Dying after the commit leaves the rows claimed; whoever recovers our owner gives them back.
        var claimed = await run.Writer
            .InTurnAsync(ledger => ledger.ClaimAsync(run.MailingId, count, run.Lease.Claimant(), CancellationToken.None))
            .WaitAsync(run.Stop.RecordToken);
        Interlocked.Add(ref outstanding, claimed.Count);
        run.Meter.Move(DeliveryState.Pending, DeliveryState.Claimed, claimed.Count, attempted: false);
        foreach (var delivery in claimed) ready.Writer.TryWrite(delivery);
        return claimed.Count;
    }

    private async Task<bool> IsMoreToComeAsync()
    {
        if (Volatile.Read(ref outstanding) > 0)
        {
            await PauseAsync(Slow);
            return true;
        }
        var rest = await look();
        if (rest == RunRest.HeldByOthers) await PauseAsync(OthersLook);
        return rest != RunRest.Nothing;
    }

    private async Task GiveBackAsync()
    {
        var left = new List<LedgerWrite>();
        while (ready.Reader.TryRead(out var delivery)) left.Add(DeliveryVerdicts.Release(delivery, DeliveryState.Claimed, run.Time.GetUtcNow()));
        if (left.Count == 0) return;
        await run.Writer.WriteAsync(left).WaitAsync(run.Stop.RecordToken);
        run.Meter.Move(DeliveryState.Claimed, DeliveryState.Pending, left.Count, attempted: false);
        Interlocked.Add(ref outstanding, -left.Count);
    }

    private async Task PauseAsync(TimeSpan atMost)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(run.Stop.Token);
        var woken = wake.Reader.ReadAsync(limit.Token).AsTask();
        await Task.WhenAny(woken, Task.Delay(atMost, run.Time, limit.Token));
        await limit.CancelAsync();
        await Task.WhenAny(woken);
    }
}
