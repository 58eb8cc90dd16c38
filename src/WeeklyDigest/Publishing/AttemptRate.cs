namespace WeeklyDigest.Publishing;

/// <summary>
/// Attempts per second over the recent past, so that a relay that slows down shows and a pause counts as one: ten seconds, or as much longer, up
/// to five minutes, as a slow pace needs to be told.
/// </summary>
internal sealed class AttemptRate(TimeProvider time)
{
    private static readonly TimeSpan[] Windows = [TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)];

    private readonly List<(long At, long Attempts)> samples = [];
    private long movedAt;

    /// <summary>The rate, given all attempts up to now; 0 when nothing moves. To be asked about once a second.</summary>
    public double Of(long attempts) => Recently(attempts).PerSecond;

    /// <summary>The recent past, given all attempts up to now. To be asked about once a second, or more seldom.</summary>
    public RecentAttempts Recently(long attempts)
    {
        var now = time.GetTimestamp();
        if (samples.Count == 0 || attempts > samples[^1].Attempts) movedAt = now;
        samples.RemoveAll(sample => time.GetElapsedTime(sample.At, now) > Windows[^1]);
        samples.Add((now, attempts));
        var (made, span) = Recent(now, attempts);
        return new RecentAttempts(made, span, time.GetElapsedTime(movedAt, now));
    }

    /// <summary>Forgets the past: it says nothing of the pace from now on.</summary>
    public void Restart() => samples.Clear();

    /// <summary>Told that it is no wonder that nothing has moved until now.</summary>
    public void Excuse() => movedAt = time.GetTimestamp();

    private (long Made, TimeSpan Span) Recent(long now, long attempts)
    {
        var recent = (Made: 0L, Span: TimeSpan.Zero);
        foreach (var window in Windows)
        {
            var (at, before) = samples.First(sample => time.GetElapsedTime(sample.At, now) <= window);
            recent = (attempts - before, time.GetElapsedTime(at, now));
            if (recent.Made >= RecentAttempts.Enough) break;
        }
        return recent;
    }
}

/// <summary>What happened in the recent past.</summary>
/// <param name="Made">Attempts made.</param>
/// <param name="Span">In this time.</param>
/// <param name="Still">Time since the last one; of the span when there was none.</param>
internal readonly record struct RecentAttempts(long Made, TimeSpan Span, TimeSpan Still)
{
    /// <summary>So many attempts tell a pace.</summary>
    public const int Enough = 20;

    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    /// <summary>Nothing for so long may be chance.</summary>
    private static readonly TimeSpan Chance = TimeSpan.FromSeconds(10);

    /// <summary>Nothing for so many times the usual gap: it stands still.</summary>
    private const int Gaps = 5;

    /// <summary>Attempts per second; 0 when nothing moves, and while the time is too short to tell.</summary>
    public double PerSecond => IsTold && !StandsStill(TimeSpan.Zero) ? Made / Span.TotalSeconds : 0;

    /// <summary>Whether there is anything that a pace can be told from.</summary>
    public bool IsTold => Made > 0 && Span >= Least;

    /// <summary>Whether nothing has moved for too long.</summary>
    /// <param name="gap">The time between two attempts that is usual at the least.</param>
    public bool StandsStill(TimeSpan gap)
    {
        var measured = Made > 0 ? (Span - Still) / Made : TimeSpan.Zero;
        return Still > Chance && Still > Gaps * (measured > gap ? measured : gap);
    }
}
