namespace WeeklyDigest.Publishing;

/// <summary>
/// Attempts per second over the recent past, so that a relay that slows down shows and a pause counts as one: ten seconds, or as much longer, up
/// to five minutes, as a slow pace needs to be told.
/// </summary>
internal sealed class AttemptRate(TimeProvider time)
{
    private static readonly TimeSpan[] Windows = [TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)];
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    /// <summary>So many attempts tell a pace.</summary>
    private const int Enough = 20;

    /// <summary>Nothing for so many times the usual gap: it stands still.</summary>
    private const int Gaps = 5;

    private readonly List<(long At, long Attempts)> samples = [];
    private long movedAt;

    /// <summary>The rate, given all attempts up to now; 0 when nothing moves. To be asked about once a second.</summary>
    public double Of(long attempts)
    {
        var now = time.GetTimestamp();
        if (samples.Count > 0 && attempts > samples[^1].Attempts) movedAt = now;
        samples.RemoveAll(sample => time.GetElapsedTime(sample.At, now) > Windows[^1]);
        samples.Add((now, attempts));
        var (made, span) = Recent(now, attempts);
        return made <= 0 || span < Least || StandsStill(now, (span - time.GetElapsedTime(movedAt, now)) / made) ? 0 : made / span.TotalSeconds;
    }

    private (long Made, TimeSpan Span) Recent(long now, long attempts)
    {
        var recent = (Made: 0L, Span: TimeSpan.Zero);
        foreach (var window in Windows)
        {
            var (at, before) = samples.First(sample => time.GetElapsedTime(sample.At, now) <= window);
            recent = (attempts - before, time.GetElapsedTime(at, now));
            if (recent.Made >= Enough) break;
        }
        return recent;
    }

    private bool StandsStill(long now, TimeSpan gap)
    {
        var still = time.GetElapsedTime(movedAt, now);
        return still > Windows[0] && still > gap * Gaps;
    }
}
