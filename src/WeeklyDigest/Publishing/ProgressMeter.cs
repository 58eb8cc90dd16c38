using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// The balance of a running mailing without counting a million rows every second: read from the ledger now and then, and in between
/// moved along with what this process writes. It adds up at any time.
/// </summary>
internal sealed class ProgressMeter(Func<CancellationToken, Task<Balance>> readBalance, TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeastWindow = TimeSpan.FromSeconds(1);

    /// <summary>Reading takes at most one part in so many of the time.</summary>
    private const int Rest = 20;

    private readonly Lock gate = new();
    private readonly Queue<(long At, long Attempts)> samples = new();
    private readonly long[] counts = new long[Enum.GetValues<DeliveryState>().Length];
    private Balance read = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    private long attempts;
    private long readAt;
    private TimeSpan readAgainAfter;

    /// <summary>When the first domain is tried again, while only domains that asked to be left alone have something left; else null.</summary>
    public DateTimeOffset? WaitsUntil { get; set; }

    /// <summary>Reads the balance when it is due: at most once a second, less often when reading takes long.</summary>
    public async Task RefreshAsync(CancellationToken cancel)
    {
        if (time.GetElapsedTime(readAt) < readAgainAfter) return;
        var started = time.GetTimestamp();
        Start(await readBalance(cancel));
        var took = time.GetElapsedTime(started);
        readAt = time.GetTimestamp();
        readAgainAfter = took * Rest > LeastWindow ? took * Rest : LeastWindow;
    }

    /// <summary>Starts from an exact balance.</summary>
    public void Start(Balance balance)
    {
        lock (gate)
        {
            read = balance;
            attempts = balance.Attempts;
            foreach (var state in Enum.GetValues<DeliveryState>()) counts[(int)state] = Count(balance, state);
        }
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
    public DeliveryProgress Progress(string? notice)
    {
        lock (gate)
        {
            var balance = Current();
            var rate = Rate();
            var waiting = balance.Pending + balance.Claimed + balance.Sending;
            return new DeliveryProgress(balance, rate, rate > 0 ? TimeSpan.FromSeconds(waiting / rate) : null, notice) { WaitsUntil = WaitsUntil };
        }
    }

    // Over the last ten seconds only, so that a relay that slows down shows, and a pause counts as one.
    private double Rate()
    {
        var now = time.GetTimestamp();
        samples.Enqueue((now, attempts));
        while (samples.Count > 2 && time.GetElapsedTime(samples.Peek().At, now) > Window) samples.Dequeue();
        var (at, before) = samples.Peek();
        var span = time.GetElapsedTime(at, now);
        return span >= LeastWindow ? Math.Max(0, attempts - before) / span.TotalSeconds : 0;
    }

    private Balance Current() => read with
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
