namespace WeeklyDigest.Publishing;

/// <summary>
/// How many deliveries a run may hold that wait for receiving domains that are held back: what it sends in two seconds, and some for each
/// connection. They take no room of the others; more of them would only be kept from other processes.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class HeldBudget(TimeProvider time)
{
    /// <summary>Never more, that memory stays flat.</summary>
    public const int Most = 3000;

    private const int Seconds = 2;
    private const int ForEach = 4;
    private static readonly TimeSpan MeasureEvery = TimeSpan.FromSeconds(1);

    private long measuredAt = time.GetTimestamp();
    private double perSecond;
    private int done;

    /// <summary>Told of each delivery that is over. Any thread.</summary>
    public void Count() => Interlocked.Increment(ref done);

    /// <summary>How many there may be now. One caller at a time.</summary>
    /// <param name="connections">Those that can be used.</param>
    public int Of(int connections)
    {
        var elapsed = time.GetElapsedTime(measuredAt);
        if (elapsed >= MeasureEvery)
        {
            perSecond = Interlocked.Exchange(ref done, 0) / elapsed.TotalSeconds;
            measuredAt = time.GetTimestamp();
        }
        var least = Math.Min(ForEach * connections, Most);
        return Math.Clamp((int)(Seconds * perSecond), least, Most);
    }
}
