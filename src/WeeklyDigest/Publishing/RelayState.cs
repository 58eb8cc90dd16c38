using System.Globalization;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>One relay as the pool sees it: how many of its connections are out, and whether it works. Guarded by the pool's lock where it says so.</summary>
internal sealed class RelayState : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>A relay that has answered nothing for so long holds no other up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>One that pauses so long has failed a few times in a row: somebody should know.</summary>
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan SparesRest = TimeSpan.FromMinutes(1);

    /// <summary>One that comes and goes is not told of more often.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Stack<PooledSession> idle = new();
    private readonly Stack<PooledSession> closed = new();
    private readonly HashSet<PooledSession> lentOut = [];
    private readonly RelayOptions options;
    private readonly TimeProvider time;
    private readonly ITimer pauseOver;
    private readonly SessionPool pool;
    private readonly RelayConnector connector;
    private readonly ConnectionLimit limit;
    private readonly SlowRelay slow;
    private TimeSpan pause;
    private long pausedAt;
    private long answeredAt;
    private volatile string? trouble;
    private volatile string? refusal;
    private volatile bool isPausing;
    private volatile bool isTold;
    private long toldAt;
    private DateTimeOffset silentSince;
    private readonly int wanted;
    private int lent;
    private int spares;
    private long sparesFailedAt;

    /// <summary>A relay nothing is known of.</summary>
    /// <param name="options">The relay.</param>
    /// <param name="store">Its budget.</param>
    /// <param name="time">The clock.</param>
    /// <param name="pool">Told when it can be used again, or not any more.</param>
    public RelayState(RelayOptions options, IRelayStore store, TimeProvider time, SessionPool pool)
    {
        (this.options, this.time, this.pool) = (options, time, pool);
        Pace = new RelayPace(options, store, time, pool.Pump);
        (Answers, limit, spares) = (new AnswerWatch(time), new ConnectionLimit(time), options.StalledConnections);
        connector = new RelayConnector(options, time);
        slow = new SlowRelay(options.Name, Answers, time);
        // At a message a second one connection is enough, and claims no more than it can send.
        wanted = (int)Math.Min(options.Connections, Math.Ceiling(options.Rates.Sustained));
        pauseOver = time.CreateTimer(_ => EndPause(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The relay's rate.</summary>
    public RelayPace Pace { get; }

    /// <summary>How long its answers take.</summary>
    public AnswerWatch Answers { get; }

    /// <summary>What it says of the sender at RCPT.</summary>
    public SenderRefusals SenderRefusals { get; } = new();

    /// <summary>Whether it carries addresses beyond ASCII.</summary>
    public RelayUtf8 Utf8 { get; } = new();

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Its weight.</summary>
    public int Weight => options.Weight;

    /// <summary>Messages it has had, divided by its weight. Kept by <see cref="RelayShares"/>.</summary>
    public double Position { get; set; }

    /// <summary>Whether it takes no part in the shares at the moment. Kept by <see cref="RelayShares"/>.</summary>
    public bool IsAway { get; set; }

    /// <summary>Why it is set aside, or null.</summary>
    public string? Refusal => refusal;

    /// <summary>The name in the settings.</summary>
    public string Name => options.Name;

    /// <summary>What is wrong with it while it has failed again and again, or null.</summary>
    public string? Down => isTold ? trouble : null;

    /// <summary>Since when it has answered nothing, while <see cref="Down"/> says so.</summary>
    public DateTimeOffset SilentSince
    {
        get
        {
            lock (gate) return silentSince;
        }
    }

    /// <summary>Whether it has answered since it was last set aside.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>Whether nothing is wrong with it, as far as is known.</summary>
    public bool IsUsable => refusal is null && trouble is null;

    /// <summary>Messages per second that it may get in the long run; 0 while it cannot be used.</summary>
    public double Sustained => IsUsable ? options.Rates.Sustained : 0;

    /// <summary>Whether others may wait for it to take its share: it works or was given its first message a moment ago, and is not at its limit.</summary>
    public bool KeepsUp => trouble is null && refusal is null && !Pace.IsShort && (lent == 0 || time.GetElapsedTime(Volatile.Read(ref answeredAt)) < Patience);

    /// <summary>How many connections may be out now: all that its rate can use and it allows, one to try it after a pause, or none during one, during a rest or while it is set aside.</summary>
    public int Capacity => refusal is not null || Pace.IsResting ? 0 : trouble is null ? Math.Min(wanted, limit.Value) : isPausing ? 0 : 1;

    /// <summary>Whether a connection can be lent: those that are stalled do not count, up to a limit. Under the pool's lock.</summary>
    public bool CanLend => lent - Math.Min(Answers.Stalled, Spares) < Capacity;

    private int Usual => Math.Min(options.Connections, limit.Value);

    private int Spares => sparesFailedAt == 0 || time.GetElapsedTime(sparesFailedAt) > SparesRest ? options.StalledConnections : spares;

    /// <summary>Whether a connection is out. Under the pool's lock.</summary>
    public bool IsInUse => lent > 0;

    /// <summary>The share of its connections that is out. Under the pool's lock.</summary>
    public double Load => (double)lent / options.Connections;

    /// <summary>What is wrong with it and when it is tried again, or null. Under the pool's lock.</summary>
    public string? Notice
    {
        get
        {
            if (refusal is { } reason) return AsideWords(reason);
            if (Pace.Trouble is { } unreadable) return $"The budget of relay '{Name}' cannot be used: {unreadable}";
            if (trouble is not { } words) return slow.Notice(lentOut) ?? (Pace.IsShort ? $"Relay '{Name}' is at its limit of {options.Rates}." : limit.Notice);
            return isPausing ? string.Create(CultureInfo.InvariantCulture, $"{words} Next try: {NextTry():HH:mm:ss}.")
                : lent > 0 ? $"{words} It is being tried now."
                : $"{words} It is tried with the next message that it gets.";
        }
    }

    /// <summary>Lends a connection, an idle one first. Under the pool's lock.</summary>
    public PooledSession Lend()
    {
        if (lent++ == 0) Volatile.Write(ref answeredAt, time.GetTimestamp());
        // Those that are open first: a relay that allows no more would refuse another one.
        var session = idle.TryPop(out var other) || closed.TryPop(out other) ? other : new PooledSession(pool, this, new SmtpSession(options, time) { Connector = connector });
        lentOut.Add(session);
        return session.Lent(isSpare: lent > Usual);
    }

    /// <summary>Takes a connection back. Under the pool's lock.</summary>
    /// <returns>False when it is one too many, to be closed.</returns>
    public bool Return(PooledSession session, long now)
    {
        lent--;
        lentOut.Remove(session);
        if (lent + idle.Count + closed.Count >= options.Connections + Answers.Stalled) return false;
        session.IdleSince = now;
        (session.IsOpen ? idle : closed).Push(session);
        return true;
    }

    /// <summary>
    /// Whom to tell of the connections that became stalled since the last look, as far as others may go on in their places. Under the pool's lock: later, who
    /// has the connection may be another.
    /// </summary>
    public List<Action?> TakeStalled()
        => [.. lentOut.Where(session => Answers.Stalled < Spares && Answers.IsStalling(session.Wait, lent - Answers.Stalled)).Select(session => session.TakeStandIn())];

    /// <summary>A connection beyond the usual number could not be opened: for a minute there are no more than now. Under the pool's lock.</summary>
    public void SpareFailed() => (spares, sparesFailedAt) = (Math.Max(0, lent - 1 - Usual), time.GetTimestamp());

    /// <summary>A connection could not be opened. While others work, that says only how many there may be. Under the pool's lock.</summary>
    /// <returns>Whether others work.</returns>
    public bool TryLimit(string reason)
    {
        var open = CountOpen();
        if (open > 0) limit.Refused(open, reason);
        else limit.Forget();
        return open > 0;
    }

    /// <summary>A connection was opened. Under the pool's lock.</summary>
    /// <returns>Whether there may be more than before.</returns>
    public bool NoteOpened() => limit.Opened(CountOpen());

    /// <summary>Whether a connection is being opened. Under the pool's lock.</summary>
    public bool IsOpening => lentOut.Any(session => session.IsOpening);

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
        if (Rest(reason)) pool.Warn(reason);
    }

    // Whether it is to be told.
    private bool Rest(string reason)
    {
        lock (gate)
        {
            if (isPausing) return false;
            if (trouble is null) silentSince = time.GetUtcNow() - time.GetElapsedTime(Volatile.Read(ref answeredAt));
            pause = trouble is null ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
            pausedAt = time.GetTimestamp();
            trouble = reason;
            isPausing = true;
            pauseOver.Change(pause, Timeout.InfiniteTimeSpan);
            if (pause < LongPause || isTold || (toldAt != 0 && time.GetElapsedTime(toldAt) < Quiet)) return false;
            (isTold, toldAt) = (true, time.GetTimestamp());
            return true;
        }
    }

    /// <summary>It answered for a message: all connections may be used.</summary>
    public void Answered()
    {
        Volatile.Write(ref answeredAt, time.GetTimestamp());
        HasAnswered = true;
        if (trouble is null) return;
        bool wasTold;
        lock (gate) (wasTold, isTold, trouble, isPausing) = (isTold, false, null, false);
        if (wasTold) pool.Warn($"Relay '{Name}' answers again.");
        pool.Pump();
    }

    /// <summary>It refuses us for good: trying it over and over would only lock the account. The first reason counts.</summary>
    public void SetAside(string reason)
    {
        lock (gate)
        {
            if (refusal is not null) return;
            refusal = reason;
            HasAnswered = false;
        }
        // It may have been given another chance meanwhile.
        pool.Warn(AsideWords(reason));
    }

    /// <summary>Gives it another chance when it was set aside.</summary>
    public void TakeBack()
    {
        if (refusal is not null) SenderRefusals.Forget();
        Utf8.Forget();
        lock (gate) refusal = null;
    }

    /// <summary>Stops its timers.</summary>
    public async ValueTask DisposeAsync()
    {
        await pauseOver.DisposeAsync();
        await Pace.DisposeAsync();
    }

    private static string AsideWords(string reason) => $"{reason} It is set aside until a mailing begins or is resumed, or the program starts again.";

    // One whose answer does not come shows nothing, and one that nobody uses may have been closed long ago.
    private int CountOpen() => lentOut.Count(session => session.IsOpen && !session.Wait.IsStalled) + idle.Count(session => session.IsQuiet);

    // The timer alone ends a pause: a clock read beside it could say that a millisecond is left, and nobody would be woken again.
    private void EndPause()
    {
        isPausing = false;
        pool.Pump();
    }

    private DateTimeOffset NextTry()
    {
        lock (gate) return time.GetLocalNow() + pause - time.GetElapsedTime(pausedAt);
    }
}
