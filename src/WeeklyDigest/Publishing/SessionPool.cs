using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>
/// The connections of this process to all relays, shared by all mailings: never more than the relays' settings add up to, kept open
/// between messages, closed after half a minute without work.
/// </summary>
/// <remarks>
/// Who waits is served in turn. A relay that cannot be reached is left alone for a growing pause, then tried over one connection; the
/// other relays carry on.
/// </remarks>
public sealed class SessionPool : IAsyncDisposable
{
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly LinkedList<TaskCompletionSource<PooledSession>> waiting = [];
    private readonly List<RelayState> relays;
    private readonly TimeProvider time;
    private readonly ITimer tidying;
    private int waiters;

    /// <summary>A pool without a single connection yet.</summary>
    /// <param name="relays">At least one.</param>
    /// <param name="time">The clock.</param>
    public SessionPool(IReadOnlyList<RelayOptions> relays, TimeProvider time)
    {
        if (relays.Count == 0) throw new ArgumentException("There has to be a relay.", nameof(relays));
        this.time = time;
        this.relays = [.. relays.Select(relay => new RelayState(relay, time, Pump))];
        Connections = relays.Sum(relay => relay.Connections);
        tidying = time.CreateTimer(_ => CloseIdle(), null, IdleLimit, IdleLimit / 3);
    }

    /// <summary>The most connections there can be at once.</summary>
    public int Connections { get; }

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

    /// <summary>Whether somebody waits for a connection.</summary>
    internal bool HasWaiters => Volatile.Read(ref waiters) > 0;

    /// <summary>A connection for one caller; waits until one is free. It may not be open yet.</summary>
    internal Task<PooledSession> RentAsync(CancellationToken cancel)
    {
        lock (gate)
        {
            cancel.ThrowIfCancellationRequested();
            if (waiting.Count == 0 && Take() is { } session) return Task.FromResult(session);
            var place = waiting.AddLast(new TaskCompletionSource<PooledSession>(TaskCreationOptions.RunContinuationsAsynchronously));
            waiters = waiting.Count;
            return WaitAsync(place, cancel);
        }
    }

    /// <summary>Gives a connection back, open or not.</summary>
    internal void Return(PooledSession session)
    {
        lock (gate) session.Relay.Return(session, time.GetTimestamp());
        Pump();
    }

    /// <summary>Closes all connections that are not in use.</summary>
    public async ValueTask DisposeAsync()
    {
        await tidying.DisposeAsync();
        foreach (var relay in relays) await relay.DisposeAsync();
        await Task.WhenAll(TakeIdle(TimeSpan.Zero).Select(session => session.CloseAsync()));
    }

    private async Task<PooledSession> WaitAsync(LinkedListNode<TaskCompletionSource<PooledSession>> place, CancellationToken cancel)
    {
        await using var registration = cancel.Register(() => Leave(place, cancel));
        return await place.Value.Task;
    }

    private void Leave(LinkedListNode<TaskCompletionSource<PooledSession>> place, CancellationToken cancel)
    {
        lock (gate)
        {
            if (place.List is null) return;
            waiting.Remove(place);
            waiters = waiting.Count;
        }
        place.Value.TrySetCanceled(cancel);
    }

    // Serves those who wait, first come first served, as far as connections are free.
    private void Pump()
    {
        lock (gate)
        {
            while (waiting.First is { } next && Take() is { } session)
            {
                waiting.Remove(next);
                next.Value.SetResult(session);
            }
            waiters = waiting.Count;
        }
    }

    private PooledSession? Take()
        => relays.Where(relay => relay.CanLend).MinBy(relay => relay.Load)?.Lend();

    private void CloseIdle()
    {
        // Closing takes a second at most and nobody waits for it; what it would throw is about a connection that is gone anyway.
        foreach (var session in TakeIdle(IdleLimit)) _ = session.CloseAsync();
    }

    private List<PooledSession> TakeIdle(TimeSpan longerThan)
    {
        lock (gate) return [.. relays.SelectMany(relay => relay.TakeIdle(longerThan))];
    }
}
