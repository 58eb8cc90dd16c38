using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>
/// The connections of this process to all relays, shared by all mailings: never more than the relays' settings add up to, kept open
/// between messages, closed after half a minute without work.
/// </summary>
/// <remarks>
/// Who waits is served in turn. A relay that cannot be reached is left alone for a growing pause, then tried over one connection; one that
/// refuses us (login, certificate, sender) is set aside until a mailing is resumed. The other relays carry on.
/// </remarks>
public sealed class SessionPool : IAsyncDisposable
{
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan StallLook = TimeSpan.FromMilliseconds(20);

    private readonly Lock gate = new();
    private readonly LinkedList<Waiter> waiting = [];
    private readonly List<RelayState> relays;
    private readonly RelayShares shares;
    private readonly TimeProvider time;
    private readonly Action<string> warn;
    private readonly ITimer tidying;
    private readonly ITimer lookAgain;
    private readonly ITimer watching;
    private int waiters;
    private bool isWatching;

    /// <summary>A pool without a single connection yet.</summary>
    /// <param name="relays">At least one.</param>
    /// <param name="store">Where their budgets are.</param>
    /// <param name="time">The clock.</param>
    /// <param name="warn">Told, in one line, of a relay that is set aside. Null: nobody is told.</param>
    public SessionPool(IReadOnlyList<RelayOptions> relays, IRelayStore store, TimeProvider time, Action<string>? warn = null)
    {
        if (relays.Count == 0) throw new ArgumentException("There has to be a relay.", nameof(relays));
        (this.time, this.warn) = (time, warn ?? (_ => { }));
        this.relays = [.. relays.Select(relay => new RelayState(relay, store, time, this))];
        shares = new RelayShares(this.relays);
        Connections = relays.Sum(relay => relay.Connections);
        tidying = time.CreateTimer(_ => CloseIdle(), null, IdleLimit, IdleLimit / 3);
        watching = time.CreateTimer(_ => WatchStalls(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lookAgain = time.CreateTimer(_ => Pump(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The most connections there can be at once, those apart that stand in for stalled ones.</summary>
    public int Connections { get; }

    /// <summary>The relays.</summary>
    internal IReadOnlyList<RelayState> Relays => relays;

    /// <summary>How fast messages may go.</summary>
    internal RelaySpeed Speed
        => new(relays.Sum(relay => relay.Sustained), relays.All(relay => relay.Sustained == 0 || relay.Pace.IsShort)) { Stalled = relays.Sum(relay => relay.Answers.Stalled) };

    /// <summary>What keeps messages from going out, or null.</summary>
    internal string? Notice
    {
        get
        {
            lock (gate)
            {
                var troubles = relays.Select(relay => relay.Notice).OfType<string>().ToList();
                return troubles.Count > 0 ? string.Join(" ", troubles) : null;
            }
        }
    }

    /// <summary>How many messages could be under way now; 0 while every relay pauses, 1 while the only one is tried again.</summary>
    internal int Capacity
    {
        get
        {
            lock (gate) return relays.Sum(relay => relay.Capacity);
        }
    }

    /// <summary>Why no relay is left that could be used, in the words of all; null while one is, even if it is down.</summary>
    internal string? NoneLeft => Refusals(relays);

    /// <summary>The same for addresses beyond ASCII: why none is left of those relays that might carry them.</summary>
    internal string? NoneLeftForUtf8 => Refusals([.. relays.Where(MayCarryUtf8)]);

    /// <summary>Whether somebody waits for a connection.</summary>
    internal bool HasWaiters => Volatile.Read(ref waiters) > 0;

    /// <summary>A connection for one caller; waits until one is free. It may not be open yet.</summary>
    /// <param name="cancel">Gives up waiting.</param>
    /// <param name="standIn">Told, on another thread, when the connection waits so long for an answer that another may be lent in its place.</param>
    /// <param name="forUtf8">Whether it has to carry what needs SMTPUTF8, as far as is known.</param>
    internal async Task<PooledSession> RentAsync(CancellationToken cancel, Action? standIn = null, bool forUtf8 = false) => (await TakeTurnAsync(forUtf8, cancel)).For(standIn);

    private Task<PooledSession> TakeTurnAsync(bool forUtf8, CancellationToken cancel)
    {
        lock (gate)
        {
            cancel.ThrowIfCancellationRequested();
            // Those who wait for a relay that carries more keep nobody else waiting.
            if (waiting.All(other => other.ForUtf8 && !forUtf8) && Take(forUtf8) is { } session) return Task.FromResult(session);
            var place = waiting.AddLast(new Waiter(forUtf8));
            CountWaiters();
            return WaitAsync(place, cancel);
        }
    }

    /// <summary>Gives a connection back, open or not.</summary>
    internal void Return(PooledSession session)
    {
        var (share, place) = session.EndTurn();
        if (share) shares.GiveBack(session.Relay);
        if (place is { } unused) session.Relay.Pace.GiveBack(unused);
        bool isKept;
        lock (gate) isKept = session.Relay.Return(session, time.GetTimestamp());
        // Takes a second at most, and nobody waits for it.
        if (!isKept) _ = session.CloseAsync();
        Pump();
    }

    /// <summary>Takes a message of a relay's share while one of its connections is lent.</summary>
    /// <returns>False when another relay is to get the next messages.</returns>
    internal bool TryTakeShare(RelayState relay)
    {
        if (!shares.TryTake(relay)) return false;
        if (shares.Matter && HasWaiters) Pump();
        return true;
    }

    /// <summary>
    /// Whether a relay may get addresses beyond ASCII: it carries them or has not been asked yet, or all were asked and none carries them. One that is
    /// down or set aside is waited for.
    /// </summary>
    internal bool MayCarryUtf8(RelayState relay) => !relay.Utf8.IsLacking || relays.All(other => other.Utf8.IsLacking);

    /// <summary>Whether addresses beyond ASCII are kept for some of the relays.</summary>
    internal bool Utf8Waits => relays.Any(relay => relay.Refusal is null && !MayCarryUtf8(relay));

    /// <summary>
    /// What a message is composed for: without 8BITMIME where there is another relay. A second copy may go over that one, and has to be the same bytes.
    /// </summary>
    internal RelayAbilities Common(RelayAbilities abilities) => relays.Count == 1 ? abilities : abilities with { EightBitMime = false };

    /// <summary>Whether another relay can be used at the moment.</summary>
    internal bool HasOther(RelayState relay)
    {
        lock (gate) return relays.Any(other => other != relay && other.Capacity > 0);
    }

    /// <summary>A connection of a relay was opened.</summary>
    internal void Opened(RelayState relay)
    {
        lock (gate)
        {
            if (!relay.NoteOpened()) return;
        }
        Pump();
    }

    /// <summary>A connection could not be opened: the relay allows no more, as a rule, while it works over others. Else it rests, or is set aside.</summary>
    internal void NotOpened(PooledSession session, RelayException failure)
    {
        bool isLater;
        lock (gate)
        {
            if (session.IsSpare) session.Relay.SpareFailed();
            if (session.IsSpare || (failure.MayBeLimit && session.Relay.TryLimit(failure.Message))) return;
            // The first of many may be refused before the others have been let in; the last one decides.
            isLater = failure.IsTransient || (failure.MayBeLimit && session.Relay.IsOpening);
        }
        if (isLater) session.Relay.Failed(failure.Message);
        else session.Relay.SetAside(failure.Message);
    }

    /// <summary>Sets a relay aside, when there is another one that is not.</summary>
    /// <returns>False when there is none: nothing was done.</returns>
    internal bool TrySetAside(RelayState relay, string why)
    {
        if (relays.All(other => other == relay || other.Refusal is not null)) return false;
        relay.SetAside($"Relay '{relay.Name}': {why}.");
        return true;
    }

    /// <summary>Gives relays that were set aside another chance.</summary>
    internal void TakeBack()
    {
        foreach (var relay in relays) relay.TakeBack();
        Pump();
    }

    /// <summary>Tells whoever looks after the program.</summary>
    internal void Warn(string words) => warn(words);

    /// <summary>Serves those who wait, first come first served, as far as connections are free.</summary>
    internal void Pump()
    {
        lock (gate)
        {
            for (var next = waiting.First; next is not null;)
            {
                var (place, forUtf8) = (next, next.Value.ForUtf8);
                next = next.Next;
                if (Take(forUtf8) is { } session)
                {
                    waiting.Remove(place);
                    place.Value.SetResult(session);
                }
                else if (!forUtf8)
                {
                    break;
                }
            }
            CountWaiters();
        }
    }

    /// <summary>Closes all connections that are not in use.</summary>
    public async ValueTask DisposeAsync()
    {
        await tidying.DisposeAsync();
        await lookAgain.DisposeAsync();
        await watching.DisposeAsync();
        foreach (var relay in relays) await relay.DisposeAsync();
        await Task.WhenAll(TakeIdle(TimeSpan.Zero).Select(session => session.CloseAsync()));
    }

    private static string? Refusals(IReadOnlyList<RelayState> some) => some.All(relay => relay.Refusal is not null) ? string.Join(" ", some.Select(relay => relay.Refusal)) : null;

    private async Task<PooledSession> WaitAsync(LinkedListNode<Waiter> place, CancellationToken cancel)
    {
        await using var registration = cancel.Register(() => Leave(place, cancel));
        return await place.Value.Task;
    }

    private void Leave(LinkedListNode<Waiter> place, CancellationToken cancel)
    {
        lock (gate)
        {
            if (place.List is null) return;
            waiting.Remove(place);
            CountWaiters();
        }
        place.Value.TrySetCanceled(cancel);
    }

    private PooledSession? Take(bool forUtf8)
    {
        var able = relays.Where(relay => relay.CanLend && (!forUtf8 || MayCarryUtf8(relay))).OrderBy(shares.Order);
        var next = forUtf8 ? able.FirstOrDefault() : able.FirstOrDefault(shares.TryTake);
        // It waits for none that would have to carry less first.
        if (forUtf8 && next is not null) shares.Take(next);
        if (next is null) return null;
        if (!isWatching) watching.Change(StallLook, StallLook);
        isWatching = true;
        return next.Lend();
    }

    // A relay that stops answering lets the others go on in the end, but nothing happens then that would tell.
    private void CountWaiters()
    {
        waiters = waiting.Count;
        if (waiters > 0 && shares.Matter) lookAgain.Change(LookAgain, Timeout.InfiniteTimeSpan);
    }

    private void CloseIdle()
    {
        // Closing takes a second at most and nobody waits for it; what it would throw is about a connection that is gone anyway.
        foreach (var session in TakeIdle(IdleLimit)) _ = session.CloseAsync();
    }

    private void WatchStalls()
    {
        List<Action?> standIns;
        lock (gate)
        {
            standIns = [.. relays.SelectMany(relay => relay.TakeStalled())];
            isWatching = relays.Any(relay => relay.IsInUse);
            if (!isWatching) watching.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            // Told while they cannot be given back: who is answered in this moment ends, and the last one would leave nobody to go on.
            foreach (var standIn in standIns) standIn?.Invoke();
        }
        if (standIns.Count > 0) Pump();
    }

    private List<PooledSession> TakeIdle(TimeSpan longerThan)
    {
        lock (gate) return [.. relays.SelectMany(relay => relay.TakeIdle(longerThan))];
    }

    /// <summary>Somebody who waits for a connection.</summary>
    private sealed class Waiter(bool forUtf8) : TaskCompletionSource<PooledSession>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public bool ForUtf8 => forUtf8;
    }
}
