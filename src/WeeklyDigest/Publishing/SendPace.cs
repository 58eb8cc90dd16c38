namespace WeeklyDigest.Publishing;

/// <summary>Keeps a relay's messages per second over all connections: each message gets its place in an even row.</summary>
/// <param name="perSecond">Messages per second; 0 for as fast as it goes.</param>
/// <param name="time">The clock.</param>
internal sealed class SendPace(double perSecond, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly long start = time.GetTimestamp();
    private TimeSpan free;

    /// <summary>Completes when the next message may go; at once without a limit.</summary>
    public Task NextAsync(CancellationToken cancel)
    {
        if (perSecond <= 0) return Task.CompletedTask;
        var wait = Reserve();
        return wait > TimeSpan.Zero ? Task.Delay(wait, time, cancel) : Task.CompletedTask;
    }

    private TimeSpan Reserve()
    {
        lock (gate)
        {
            var now = time.GetElapsedTime(start);
            var place = free > now ? free : now;
            free = place + TimeSpan.FromSeconds(1 / perSecond);
            return place - now;
        }
    }
}
