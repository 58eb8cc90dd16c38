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
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan OthersLook = TimeSpan.FromSeconds(1);

    private readonly Channel<Delivery> ready = Channel.CreateUnbounded<Delivery>();
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly HashSet<long> stopsOfOurs = [];
    private IReadOnlySet<long> stopsInLedger = new HashSet<long>();
    private volatile IReadOnlySet<long> stopped = new HashSet<long>();
    private int outstanding;
    private int target;
    private long claimedAt;
    private long lookedAt = run.Time.GetTimestamp();
    private long after;
    private bool hasFound;

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

    /// <summary>Told that the mailing leaves a domain alone.</summary>
    public void StopDomain(long domain)
    {
        lock (stopsOfOurs)
        {
            if (stopsOfOurs.Add(domain)) stopped = stopped.Append(domain).ToHashSet();
        }
    }

    /// <summary>Whether the mailing leaves the domain of a delivery alone.</summary>
    public bool IsStopped(Delivery delivery) => stopped.Contains(delivery.DomainId);

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
            return !IsTimeToLook() || await look() != RunRest.Nothing;
        }
        if (ready.Reader.Count > target / 2)
        {
            await PauseAsync(Slow);
            return true;
        }
        Aim(capacity);
        // At least one: the aim may just have been lowered below what is ready.
        var claimed = await ClaimAsync(Math.Max(1, target - ready.Reader.Count));
        hasFound |= claimed.Deliveries.Count > 0;
        // Round by round through the pending rows: only a whole round without a find says that there is nothing.
        if (claimed.Deliveries.Count > 0 || after > 0) return true;
        if (!hasFound) return await IsMoreToComeAsync();
        hasFound = false;
        return true;
    }

    // While no relay can be used, rows end all the same: given up, or left by their subscribers.
    private bool IsTimeToLook()
    {
        if (Volatile.Read(ref outstanding) > 0 || run.Time.GetElapsedTime(lookedAt) < LookEvery) return false;
        lookedAt = run.Time.GetTimestamp();
        return true;
    }

    // A batch should last a quarter of a second to two: claiming costs a transaction, and what is claimed nobody else can take.
    private void Aim(int capacity)
    {
        var least = capacity == 1 ? 1 : 2 * capacity;
        var sinceLast = run.Time.GetElapsedTime(claimedAt);
        var next = sinceLast < Brisk ? target * 2 : sinceLast > Slow ? target / 2 : target;
        Volatile.Write(ref target, Math.Clamp(next, least, Math.Max(least, MaxReady)));
    }

    private async Task<ClaimedRows> ClaimAsync(int count)
    {
        claimedAt = run.Time.GetTimestamp();
        var request = new ClaimRequest(run.MailingId, count, run.Lease.Claimant()) { After = after };
        // Dying after the commit leaves the rows claimed; whoever recovers our owner gives them back.
        var claimed = await run.Writer.InTurnAsync(ledger => ledger.ClaimAsync(request, CancellationToken.None)).WaitAsync(run.Stop.RecordToken);
        after = claimed.Next;
        NoteStops(claimed.Stopped);
        Interlocked.Add(ref outstanding, claimed.Deliveries.Count);
        run.Meter.Move(DeliveryState.Pending, DeliveryState.Claimed, claimed.Deliveries.Count, attempted: false);
        foreach (var delivery in claimed.Deliveries) ready.Writer.TryWrite(delivery);
        return claimed;
    }

    // What this run stopped counts until the ledger says so as well; what the editor lifted is forgotten.
    private void NoteStops(IReadOnlySet<long> inLedger)
    {
        foreach (var lifted in stopsInLedger.Except(inLedger)) run.Refusals.Forget(lifted);
        stopsInLedger = inLedger;
        lock (stopsOfOurs)
        {
            stopsOfOurs.ExceptWith(inLedger);
            stopped = stopsOfOurs.Count == 0 ? inLedger : stopsOfOurs.Union(inLedger).ToHashSet();
        }
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
