namespace WeeklyDigest.Publishing;

/// <summary>
/// Attempts per second over the recent past, so that a relay that slows down shows and a pause counts as one: ten seconds, or as much longer, up
/// to five minutes, as a slow pace needs to be told; but not back into a time that was far faster.
/// </summary>
internal sealed class AttemptRate(TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>So many times as fast is another pace, where so many attempts show it.</summary>
    private const int FarFaster = 5;
    private const int Shown = RecentAttempts.Enough / 4;

    private readonly List<(long At, long Attempts)> samples = [];
    private long movedAt;

    /// <summary>The rate, given all attempts up to now; 0 when nothing moves. To be asked about once a second.</summary>
    public double Of(long attempts) => Recently(attempts).PerSecond;

    /// <summary>The recent past, given all attempts up to now. To be asked about once a second, or more seldom.</summary>
    public RecentAttempts Recently(long attempts)
    {
        var now = time.GetTimestamp();
        if (samples.Count == 0 || attempts > samples[^1].Attempts) movedAt = now;
        samples.RemoveAll(sample => time.GetElapsedTime(sample.At, now) > Longest);
        samples.Add((now, attempts));
        var (made, span) = Recent(now, attempts);
        return new RecentAttempts(made, span, time.GetElapsedTime(movedAt, now));
    }

    /// <summary>Time since it was asked last; zero when it has not been.</summary>
    public TimeSpan Age => samples is [.., var last] ? time.GetElapsedTime(last.At) : TimeSpan.Zero;

    /// <summary>
    /// Told in place of being asked while nothing can be done, or after it: the time since the last question counts for nothing, and neither does what was
    /// done in it. So the pace is afterwards what it was before.
    /// </summary>
    public void LeaveOut(long attempts)
    {
        if (samples is not [.., var last]) return;
        var (passed, made) = (time.GetTimestamp() - last.At, attempts - last.Attempts);
        for (var i = 0; i < samples.Count; i++) samples[i] = (samples[i].At + passed, samples[i].Attempts + made);
        movedAt += passed;
    }

    /// <summary>Forgets the past: it says nothing of the pace from now on.</summary>
    public void Restart() => samples.Clear();

    /// <summary>Told that it is no wonder that nothing has moved until now.</summary>
    public void Excuse() => movedAt = time.GetTimestamp();

    private (long Made, TimeSpan Span) Recent(long now, long attempts)
    {
        var first = samples.FindIndex(sample => time.GetElapsedTime(sample.At, now) <= Shortest);
        List<(long Made, TimeSpan Span)> reach = [Since(first)];
        while (reach[^1].Made < RecentAttempts.Enough && first > 0) reach.Add(Since(--first));
        return SincePaceFell(reach);

        (long Made, TimeSpan Span) Since(int sample) => (attempts - samples[sample].Attempts, time.GetElapsedTime(samples[sample].At, now));
    }

    // A burst would be told for minutes after it: a limit that is reached, a slow domain that is left, are where it ended.
    private static (long Made, TimeSpan Span) SincePaceFell(List<(long Made, TimeSpan Span)> reach)
    {
        var all = reach[^1];
        return reach.Where(later => later.Made > 0 && all.Made - later.Made >= Shown)
            .Select(later => (later, Faster: (all.Made - later.Made) / (all.Span - later.Span).TotalSeconds / (later.Made / later.Span.TotalSeconds)))
            .Where(one => one.Faster > FarFaster).DefaultIfEmpty((later: all, Faster: 0)).MaxBy(one => one.Faster).later;
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
    public double PerSecond => IsTold && !StandsStill(TimeSpan.Zero) ? Pace : 0;

    /// <summary>
    /// Attempts per second, as far as they are told: up to the last one, until the next one is overdue. Measured up to now, a slow pace would
    /// change with every second.
    /// </summary>
    public double Pace => Math.Min(Made / (Span - Still).TotalSeconds, (Made + 1) / Span.TotalSeconds);

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
