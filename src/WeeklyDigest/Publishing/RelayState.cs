using System.Globalization;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>One relay as the pool sees it: how many of its connections are out, and whether it works. Guarded by the pool's lock where it says so.</summary>
internal sealed class RelayState : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Stack<PooledSession> idle = new();
    private readonly RelayOptions options;
    private readonly TimeProvider time;
    private readonly ITimer pauseOver;
    private readonly Action changed;
    private TimeSpan pause;
    private long pausedAt;
    private volatile string? trouble;
    private volatile bool isPausing;
    private int lent;

    /// <summary>A relay nothing is known of.</summary>
    /// <param name="options">The relay.</param>
    /// <param name="time">The clock.</param>
    /// <param name="changed">Called when it can be used (again).</param>
    public RelayState(RelayOptions options, TimeProvider time, Action changed)
    {
        (this.options, this.time, this.changed) = (options, time, changed);
        Pace = new SendPace(options.MessagesPerSecond, time);
        pauseOver = time.CreateTimer(_ => EndPause(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The relay's rate.</summary>
    public SendPace Pace { get; }

    /// <summary>How many connections may be out now: all, one to try it after a pause, or none during one.</summary>
    public int Capacity => trouble is null ? options.Connections : isPausing ? 0 : 1;

    /// <summary>Whether a connection can be lent. Under the pool's lock.</summary>
    public bool CanLend => lent < Capacity;

    /// <summary>The share of its connections that is out. Under the pool's lock.</summary>
    public double Load => (double)lent / options.Connections;

    /// <summary>What is wrong with it and when it is tried again, or null.</summary>
    public string? Notice
    {
        get
        {
            if (trouble is not { } words) return null;
            var next = isPausing ? NextTry().ToString("HH:mm:ss", CultureInfo.InvariantCulture) : "now";
            return $"{words} Next try: {next}.";
        }
    }

    /// <summary>Lends a connection, an idle one first. Under the pool's lock.</summary>
    public PooledSession Lend()
    {
        lent++;
        return (idle.TryPop(out var session) ? session : new PooledSession(this, new SmtpSession(options, time))).Lent();
    }

    /// <summary>Takes a connection back. Under the pool's lock.</summary>
    public void Return(PooledSession session, long now)
    {
        lent--;
        session.IdleSince = now;
        idle.Push(session);
    }

    /// <summary>Takes the connections out that have been idle for so long. Under the pool's lock.</summary>
    public IReadOnlyList<PooledSession> TakeIdle(TimeSpan longerThan)
    {
        var all = idle.ToList();
        idle.Clear();
        var old = all.Where(session => time.GetElapsedTime(session.IdleSince) >= longerThan).ToList();
        foreach (var session in all.Except(old).Reverse()) idle.Push(session);
        return old;
    }

    /// <summary>It could not be used: it rests for 1 s, then 2, 4 and so on to a minute. Several connections that fail together count once.</summary>
    public void Failed(string reason)
    {
        lock (gate)
        {
            if (isPausing) return;
            pause = trouble is null ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
            pausedAt = time.GetTimestamp();
            trouble = reason;
            isPausing = true;
            pauseOver.Change(pause, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>It answered for a message: all connections may be used.</summary>
    public void Answered()
    {
        if (trouble is null) return;
        lock (gate)
        {
            trouble = null;
            isPausing = false;
        }
        changed();
    }

    /// <summary>Stops its timer.</summary>
    public ValueTask DisposeAsync() => pauseOver.DisposeAsync();

    // The timer alone ends a pause: a clock read beside it could say that a millisecond is left, and nobody would be woken again.
    private void EndPause()
    {
        isPausing = false;
        changed();
    }

    private DateTimeOffset NextTry()
    {
        lock (gate) return time.GetLocalNow() + pause - time.GetElapsedTime(pausedAt);
    }
}
