using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Keeps claimed deliveries ready for the connections: enough that none waits for a claim, few enough that memory stays flat and another
/// process gets its share, and no more of a domain than it has places for; what waits for its domain takes no room of the others. What is left
/// when the run stops, or while no relay can be used, is given back.
/// </summary>
internal sealed class ClaimFeed : IDisposable
{
    private const int MaxReady = 1000;

    private static readonly TimeSpan Brisk = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan OthersLook = TimeSpan.FromSeconds(1);

    private readonly RunParts run;
    private readonly MailingEnd end;
    private readonly ReadyQueue ready;
    private readonly ClaimRounds rounds;
    private readonly HeldBudget budget;
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource over;
    private int outstanding;
    private int target;
    private int wakesAt;
    private bool wasFilled;
    private long claimedAt;
    private long lookedAt;
    private bool isInVain;

    /// <summary>A feed of a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="end">Knows what is left when a claim gives nothing.</param>
    public ClaimFeed(RunParts run, MailingEnd end)
    {
        (this.run, this.end) = (run, end);
        ready = new ReadyQueue(run.Domains, run.Time);
        rounds = new ClaimRounds(run);
        budget = new HeldBudget(run.Time);
        over = CancellationTokenSource.CreateLinkedTokenSource(run.Stop.Token);
        lookedAt = run.Time.GetTimestamp();
    }

    /// <summary>Cancelled when there is nothing to send any more, or the run stops.</summary>
    public CancellationToken Over => over.Token;

    /// <summary>Waits until there is something to send.</summary>
    /// <returns>False when the run is over.</returns>
    public Task<bool> WaitAsync(CancellationToken cancel)
    {
        // Perhaps others may go than those that are ready.
        wake.Writer.TryWrite(true);
        return ready.WaitAsync(cancel);
    }

    /// <summary>Whether one may go that every relay carries.</summary>
    public bool HasOrdinary => ready.HasAny(carriesUtf8: false);

    /// <summary>Waits until one may go that every relay carries, or the run is over.</summary>
    public Task WaitForOrdinaryAsync(CancellationToken cancel) => ready.WaitAsync(cancel, carriesUtf8: false);

    /// <summary>Takes a delivery when one is ready and may go; <see cref="Leave"/> has to follow.</summary>
    /// <param name="carriesUtf8">Whether it may be one that needs SMTPUTF8.</param>
    /// <param name="taken">The delivery.</param>
    public bool TryTake(bool carriesUtf8, [NotNullWhen(true)] out TakenDelivery? taken)
    {
        if (!ready.TryTake(out taken, carriesUtf8)) return false;
        if (ready.Count <= Volatile.Read(ref wakesAt)) wake.Writer.TryWrite(true);
        return true;
    }

    /// <summary>Told what became of a taken delivery; null when it was not handed over.</summary>
    public void Leave(TakenDelivery taken, SendOutcome? outcome)
        => run.Domains.Leave(taken.Delivery.DomainId, taken.Domain, taken.Entered, outcome);

    /// <summary>Whether one may still go in its place in its domain's rate.</summary>
    public bool IsFresh(TakenDelivery taken) => run.Domains.IsFresh(taken.Domain, taken.Entered);

    /// <summary>Exchanges the place in its domain's rate of one that took too long to be handed over.</summary>
    /// <returns>How long until the new one; null when that is far, and it has to be given back.</returns>
    public TimeSpan? Renew(TakenDelivery taken)
    {
        var entered = taken.Entered;
        var wait = run.Domains.Renew(taken.Domain, ref entered);
        taken.Entered = entered;
        return wait;
    }

    /// <summary>Told that the mailing leaves a domain alone.</summary>
    public void StopDomain(long domain) => rounds.StopDomain(domain);

    /// <summary>Told that the ledger has answered what it was told of a domain's stop.</summary>
    public void NoteToldOfStop(long domain) => rounds.NoteToldOfStop(domain);

    /// <summary>Whether the mailing leaves the domain of a delivery alone.</summary>
    public bool IsStopped(Delivery delivery) => rounds.Stopped.Contains(delivery.DomainId);

    /// <summary>Told when a taken delivery is no longer ours: its outcome is durable, or it was given back.</summary>
    public void Done()
    {
        budget.Count();
        if (Interlocked.Decrement(ref outstanding) == 0) wake.Writer.TryWrite(true);
    }

    /// <summary>Claims until nothing is left to do or the run stops; then gives back what nobody took.</summary>
    public async Task RunAsync()
    {
        List<Delivery> left;
        try
        {
            while (!run.Stop.IsRequested && await StepAsync())
            {
            }
        }
        finally
        {
            ready.End();
            await over.CancelAsync();
            // However it ends: their domains have that room for the process's other runs.
            left = ready.TakeAll();
        }
        await GiveBackAsync(left);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ready.Dispose();
        over.Dispose();
    }

    private async Task<bool> StepAsync()
    {
        var capacity = run.Sessions.Capacity;
        if (capacity == 0) return await WaitForRelayAsync();
        var utf8Waits = run.Sessions.Utf8Waits;
        await GiveBackAsync([.. ready.TakeDomains(rounds.Stopped), .. ready.TakeSurplus(utf8Waits)]);
        var (free, waiting) = ready.Split(utf8Waits);
        var room = await ReturnAsync(capacity, waiting);
        var usable = free + Math.Max(0, waiting - HeldBudget.Most);
        // Those apart: so many of them that what is behind them is not reached.
        if (usable > target / 2 && StuckReason() is { } reason) run.Stop.RequestPause(reason);
        return Rest(usable, waiting, room) is { } rest ? await PauseAsync(rest) : await ClaimAsync(capacity, usable, room);
    }

    private async Task<bool> WaitForRelayAsync()
    {
        target = 0;
        await GiveBackAsync(ready.TakeAll());
        await PauseAsync(Brisk);
        return !IsTimeToLook() || await end.LookAsync() != RunRest.Nothing;
    }

    /// <summary>Claims what was passed by of domains that have room again.</summary>
    /// <returns>How many more may be held of domains that are held back; none or less when there are enough.</returns>
    private async Task<int> ReturnAsync(int capacity, int waiting)
    {
        var room = budget.Of(capacity) - waiting;
        // What cannot go, as of a domain that hangs, keeps nothing from going that can: while a connection has nothing to do, some are returned to.
        var count = room < capacity && !ready.HasAny() ? Math.Min(capacity, HeldBudget.Most - waiting) : room;
        await foreach (var returned in rounds.ReturnAsync(count)) room -= Take(returned);
        return room;
    }

    /// <summary>How long to wait before the next claim, unless woken earlier; null when it is due.</summary>
    private TimeSpan? Rest(int usable, int waiting, int room)
    {
        Volatile.Write(ref wakesAt, (target / 2) + waiting);
        if (usable > target / 2) return rounds.HasPassed ? ClaimRounds.ReturnEvery : Slow;
        if (Volatile.Read(ref outstanding) == 0 || !rounds.IsInVain(othersOnly: room <= 0)) return null;
        // However little is left: until there is room for more of those that are held back, or who has nothing to send wakes.
        Volatile.Write(ref wakesAt, room <= 0 ? ready.Count / 2 : -1);
        return ClaimRounds.ReturnEvery;
    }

    private async Task<bool> ClaimAsync(int capacity, int usable, int room)
    {
        Aim(capacity);
        // At least one: the aim may just have been lowered below what is ready.
        var rest = await ClaimRoundAsync(Math.Max(1, target - usable), othersOnly: room <= 0);
        run.Meter.WaitsUntil = rest == ClaimRest.PassedOver && Volatile.Read(ref outstanding) == 0 ? run.Time.GetUtcNow() + run.Domains.PausedFor() : null;
        return rest switch
        {
            ClaimRest.More => true,
            ClaimRest.PassedOver => Volatile.Read(ref outstanding) > 0 || await PauseAsync(Slow),
            _ => await IsMoreToComeAsync(),
        };
    }

    // While no relay can be used, rows end all the same: given up, or left by their subscribers.
    private bool IsTimeToLook()
    {
        if (Volatile.Read(ref outstanding) > 0 || run.Time.GetElapsedTime(lookedAt) < LookEvery) return false;
        lookedAt = run.Time.GetTimestamp();
        return true;
    }

    // A batch should last a quarter of a second to two: claiming costs a transaction, and what is claimed nobody else can take. One that found less than
    // was asked for lasts no longer for being larger.
    private void Aim(int capacity)
    {
        var least = capacity == 1 ? 1 : 2 * capacity;
        var sinceLast = run.Time.GetElapsedTime(claimedAt);
        var next = sinceLast < Brisk && wasFilled ? target * 2 : sinceLast > Slow ? target / 2 : target;
        target = Math.Clamp(next, least, Math.Max(least, MaxReady));
    }

    private async Task<ClaimRest> ClaimRoundAsync(int count, bool othersOnly)
    {
        claimedAt = run.Time.GetTimestamp();
        var (claimed, rest) = await rounds.ClaimAsync(count, othersOnly);
        wasFilled = Take(claimed) == count;
        return rest;
    }

    /// <returns>How many they are.</returns>
    private int Take(IReadOnlyList<Delivery> claimed)
    {
        if (claimed.Count == 0) return 0;
        isInVain = false;
        run.Meter.WaitsUntil = null;
        Interlocked.Add(ref outstanding, claimed.Count);
        run.Meter.Move(DeliveryState.Pending, DeliveryState.Claimed, claimed.Count, attempted: false);
        ready.Add(claimed);
        return claimed.Count;
    }

    private async Task<bool> IsMoreToComeAsync()
    {
        if (Volatile.Read(ref outstanding) > 0)
        {
            if (StuckReason() is { } reason && await end.IsAllThatIsLeftAsync(ready.Count)) run.Stop.RequestPause(reason);
            return await PauseAsync(Slow);
        }
        var rest = await end.LookAsync();
        // What may be claimed and was not got, twice in a row: a transaction of another's has hold of it, perhaps for long.
        if (rest == RunRest.HeldByOthers || (rest == RunRest.Claimable && isInVain)) await Task.WhenAny(Task.Delay(OthersLook, run.Time, run.Stop.Token));
        isInVain = rest == RunRest.Claimable;
        return rest != RunRest.Nothing;
    }

    /// <summary>Why nothing that this run holds can be sent before somebody looks after a relay: the others lack SMTPUTF8. Else null.</summary>
    private string? StuckReason()
        => run.Sessions.NoneLeftForUtf8 is { } reasons && ready.CountUtf8 == Volatile.Read(ref outstanding)
            ? $"{reasons} What is left to send has letters beyond ASCII before the @ (SMTPUTF8), which no other relay carries."
            : null;

    // Also a row that was tried before is pending again: nobody said no to it now, and a claim passes it by while its domain has no room.
    private async Task GiveBackAsync(List<Delivery> left)
    {
        if (left.Count == 0) return;
        var now = run.Time.GetUtcNow();
        var writes = left.Select(delivery => DeliveryVerdicts.Release(delivery, DeliveryState.Claimed, now)).ToList();
        await run.Writer.WriteAsync(writes).WaitAsync(run.Stop.RecordToken);
        foreach (var write in writes) run.Meter.Move(DeliveryState.Claimed, write.To, 1, attempted: false);
        rounds.NoteBack(left);
        if (Interlocked.Add(ref outstanding, -left.Count) == 0) wake.Writer.TryWrite(true);
    }

    /// <returns>True, for who goes on afterwards.</returns>
    private async Task<bool> PauseAsync(TimeSpan atMost)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(run.Stop.Token);
        var woken = wake.Reader.ReadAsync(limit.Token).AsTask();
        await Task.WhenAny(woken, Task.Delay(atMost, run.Time, limit.Token));
        await limit.CancelAsync();
        await Task.WhenAny(woken);
        return true;
    }
}
