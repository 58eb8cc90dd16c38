namespace WeeklyDigest.Server.Desk;

/// <summary>Slows guessing down: so many failures for one key within a time, then nothing more until the time is over.</summary>
/// <param name="allowed">Failures allowed.</param>
/// <param name="window">The time, counted from the first failure.</param>
/// <param name="time">The clock.</param>
internal sealed class AttemptLimit(int allowed, TimeSpan window, TimeProvider time)
{
    private const int MostKeys = 10_000;
    private readonly Dictionary<string, (int Failures, long Since)> keys = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock gate = new();

    /// <summary>Counts an attempt before it is made, so that many at once cannot slip through.</summary>
    /// <returns>Null when it may be made, else how long to wait.</returns>
    public TimeSpan? Take(string key)
    {
        lock (gate)
        {
            // What has passed, not the time of day: a clock that is set right keeps nobody out.
            var now = time.GetTimestamp();
            if (keys.Count >= MostKeys) Forget(now);
            var (failures, since) = keys.TryGetValue(key, out var known) && Left(known.Since, now) > TimeSpan.Zero ? known : (0, now);
            if (failures >= allowed) return Left(since, now);
            keys[key] = (failures + 1, since);
            return null;
        }
    }

    /// <summary>The attempt was right: earlier ones are forgotten.</summary>
    public void Clear(string key)
    {
        lock (gate) keys.Remove(key);
    }

    private TimeSpan Left(long since, long now) => window - time.GetElapsedTime(since, now);

    // Somebody who tries ten thousand names gets the oldest of them back, not the memory of this process.
    private void Forget(long now)
    {
        foreach (var key in keys.Where(pair => Left(pair.Value.Since, now) <= TimeSpan.Zero).Select(pair => pair.Key).ToList()) keys.Remove(key);
        foreach (var key in keys.OrderBy(pair => pair.Value.Since).Select(pair => pair.Key).Take(keys.Count - MostKeys + 1).ToList()) keys.Remove(key);
    }
}
