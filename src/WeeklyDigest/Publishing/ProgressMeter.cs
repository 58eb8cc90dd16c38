using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// The balance of a running mailing without counting a million rows every second: read from the ledger now and then, and in between
/// moved along with what this process writes. It adds up at any time.
/// </summary>
internal sealed class ProgressMeter(Func<CancellationToken, Task<Standing>> read, TimeProvider time)
{
    /// <summary>A little less than the second between two questions, which does not pass to the microsecond.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(0.9);

    /// <summary>An estimate beyond it is none.</summary>
    private static readonly TimeSpan Farthest = TimeSpan.FromDays(365);

    /// <summary>Reading takes at most one part in so many of the time.</summary>
    private const int Rest = 20;

    /// <summary>One in so many of what is open is next to nothing.</summary>
    private const int Few = 20;

    /// <summary>
    /// A reading that takes more than so many times as long as those before may have waited for a database that hung: it is believed by that much,
    /// and the next one shows whether it is so.
    /// </summary>
    private const int Surprise = 10;

    /// <summary>The same for one that failed, which tells even less.</summary>
    private const int FailedSurprise = 2;

    private static readonly TimeSpan ShortReading = TimeSpan.FromMilliseconds(10);

    /// <summary>One that failed tells little of how long the next one takes.</summary>
    private static readonly TimeSpan LongestAfterFailure = TimeSpan.FromMinutes(5);

    private readonly Lock gate = new();
    private readonly AttemptRate rate = new(time);
    private readonly long[] counts = new long[Enum.GetValues<DeliveryState>().Length];
    private Standing standing = new(new Balance(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    private long attempts;
    private long readAt;
    private TimeSpan readAgainAfter;
    private TimeSpan? takes;
    private DateTimeOffset? waitsUntil;
    private (MailingState State, string? Reason) mailing = (MailingState.Sending, null);

    /// <summary>When the first domain is tried again, while only domains that asked to be left alone have something left; else null.</summary>
    public DateTimeOffset? WaitsUntil
    {
        set
        {
            lock (gate) waitsUntil = value;
        }
    }

    /// <summary>Reads the balance when it is due: about once a second, less often when reading takes long, also where it fails in the end.</summary>
    /// <returns>False when it is not due.</returns>
    public async Task<bool> RefreshAsync(CancellationToken cancel)
    {
        if (time.GetElapsedTime(readAt) < readAgainAfter) return false;
        var started = time.GetTimestamp();
        var (longest, surprise) = (LongestAfterFailure, FailedSurprise);
        try
        {
            Start(await read(cancel));
            (longest, surprise) = (TimeSpan.MaxValue, Surprise);
        }
        finally
        {
            var rest = Believed(time.GetElapsedTime(started), surprise) * Rest;
            readAt = time.GetTimestamp();
            readAgainAfter = rest < LeastPause ? LeastPause : rest < longest ? rest : longest;
        }
        return true;
    }

    /// <summary>What reading takes, by what this one took and those before.</summary>
    private TimeSpan Believed(TimeSpan took, int surprise)
    {
        var most = takes is { } before ? before * surprise : took;
        var believed = took < most ? took : most;
        takes = believed > ShortReading ? believed : ShortReading;
        return believed;
    }

    /// <summary>Starts from what the ledger says.</summary>
    public void Start(Standing exact)
    {
        lock (gate)
        {
            standing = exact;
            attempts = exact.Balance.Attempts;
            foreach (var state in Enum.GetValues<DeliveryState>()) counts[(int)state] = Count(exact.Balance, state);
        }
    }

    /// <summary>Notes how the mailing stands: while it is paused or cancelled there is no end to foretell.</summary>
    /// <param name="state">Its state.</param>
    /// <param name="reason">Why it is paused, or null.</param>
    public void Note(MailingState state, string? reason)
    {
        lock (gate) mailing = (state, reason);
    }

    /// <summary>Moves rows from one state to another. Never below zero: what others did meanwhile shows at the next reading.</summary>
    public void Move(DeliveryState from, DeliveryState to, long rows, bool attempted)
    {
        lock (gate)
        {
            if (attempted) attempts += rows;
            var moved = Math.Min(rows, counts[(int)from]);
            counts[(int)from] -= moved;
            counts[(int)to] += moved;
        }
    }

    /// <summary>How things stand now.</summary>
    /// <param name="notice">What holds the run up, or null.</param>
    /// <param name="speed">How fast messages may go.</param>
    public DeliveryProgress Progress(string? notice, RelaySpeed speed)
    {
        lock (gate)
        {
            var balance = Current();
            var perSecond = rate.Of(attempts);
            var remaining = Remaining(balance, speed.IsReached ? speed.Limit : Math.Min(perSecond, speed.Limit), speed);
            return new DeliveryProgress(balance, perSecond, remaining, notice) { DoneAt = time.GetLocalNow() + remaining, WaitsUntil = waitsUntil }.In(mailing.State, mailing.Reason);
        }
    }

    /// <summary>How things stand while nothing can be sent, whatever the relays do: no pace and no end is told, and the time counts for no pace.</summary>
    /// <param name="notice">Why nothing is sent.</param>
    public DeliveryProgress Standstill(string notice)
    {
        lock (gate)
        {
            rate.LeaveOut(attempts);
            return new DeliveryProgress(Current(), 0, null, notice).In(mailing.State, mailing.Reason);
        }
    }

    private TimeSpan? Remaining(Balance balance, double perSecond, RelaySpeed speed)
    {
        var untilLast = standing.LastAttemptAt - time.GetUtcNow() is { } wait && balance.Deferred > 0 && wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        var open = balance.Open - standing.LeftAlone;
        if (open <= balance.Deferred && untilLast > TimeSpan.Zero) return untilLast;
        if (open <= 0) return TimeSpan.Zero;
        // The pace of those before says nothing of when they are over.
        if (2 * Math.Min(speed.Stalled, balance.Sending) >= open) return null;
        var seconds = Seconds(open, perSecond, speed.Limit);
        if (!(seconds < Farthest.TotalSeconds)) return null;
        var needed = TimeSpan.FromSeconds(seconds);
        return needed > untilLast ? needed : untilLast;
    }

    /// <summary>Seconds until all that is open was tried: all of it at the pace of all, and each domain that is held back at its own.</summary>
    private double Seconds(long open, double perSecond, double limit)
    {
        var others = open - standing.HeldBack.Rows(time);
        // Those that are held back are all that is left: how fast the others were, in the pace of all, tells nothing any more.
        return others * Few <= open
            ? Math.Max(open / limit, standing.HeldBack.Seconds(time, open, 0))
            : Math.Max(open / perSecond, standing.HeldBack.Seconds(time, open, others / perSecond));
    }

    private Balance Current() => standing.Balance with
    {
        Pending = counts[(int)DeliveryState.Pending],
        Claimed = counts[(int)DeliveryState.Claimed],
        Sending = counts[(int)DeliveryState.Sending],
        Deferred = counts[(int)DeliveryState.Deferred],
        Sent = counts[(int)DeliveryState.Sent],
        Failed = counts[(int)DeliveryState.Failed],
        Suppressed = counts[(int)DeliveryState.Suppressed],
        Uncertain = counts[(int)DeliveryState.Uncertain],
        Attempts = attempts,
    };

    private static long Count(Balance balance, DeliveryState state) => state switch
    {
        DeliveryState.Pending => balance.Pending,
        DeliveryState.Claimed => balance.Claimed,
        DeliveryState.Sending => balance.Sending,
        DeliveryState.Deferred => balance.Deferred,
        DeliveryState.Sent => balance.Sent,
        DeliveryState.Failed => balance.Failed,
        DeliveryState.Suppressed => balance.Suppressed,
        DeliveryState.Uncertain => balance.Uncertain,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "not a state"),
    };
}
