namespace WeeklyDigest.Deliveries;

/// <summary>
/// Tells whether the clock on the wall was set while this process runs: then the time of day does not go on as the time that passes does. What a clock
/// says that was just set is no reason to do what cannot be taken back. Safe for many threads.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class ClockSteadiness(TimeProvider time)
{
    /// <summary>By so much both may differ, as they do where a clock is adjusted little by little.</summary>
    private static readonly TimeSpan Adjustment = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private (long Timestamp, DateTimeOffset Time) since = (time.GetTimestamp(), time.GetUtcNow());
    private bool wasSet;

    /// <summary>For how long it has gone on without being set; since the start of the process at most.</summary>
    public TimeSpan SteadyFor
    {
        get
        {
            lock (gate) return Look();
        }
    }

    /// <summary>Whether it was set so short a time ago. What it says at the start of the process is all there is, and counts as not set.</summary>
    public bool WasSetWithin(TimeSpan span)
    {
        lock (gate) return Look() < span && wasSet;
    }

    private TimeSpan Look()
    {
        var (now, passed) = (time.GetUtcNow(), time.GetElapsedTime(since.Timestamp));
        if ((now - since.Time - passed).Duration() <= Adjustment) return passed;
        (since, wasSet) = ((time.GetTimestamp(), now), true);
        return TimeSpan.Zero;
    }
}
