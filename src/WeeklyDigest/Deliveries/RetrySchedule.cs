namespace WeeklyDigest.Deliveries;

/// <summary>When a deferred delivery is tried again: growing waits with jitter, until <see cref="DeliveryOptions.GiveUpAfter"/> is over.</summary>
/// <param name="options">The waits.</param>
/// <param name="random">Spreads the attempts, so that ten thousand deferred rows do not come due in the same second.</param>
/// <param name="clock">Whether the clock was set; null: it is not asked.</param>
public sealed class RetrySchedule(DeliveryOptions options, Random random, ClockSteadiness? clock = null)
{
    private const double Jitter = 0.2;
    private readonly Lock gate = new();

    /// <summary>The longest wait that these settings give, jitter included.</summary>
    public static TimeSpan LongestOf(DeliveryOptions options) => options.MaxRetryDelay > options.FirstRetryAfter ? options.MaxRetryDelay : options.FirstRetryAfter;

    /// <summary>When to try again after an attempt that was deferred.</summary>
    /// <param name="attempts">Attempts before this one; 0 when this was the first.</param>
    /// <param name="firstAttemptAt">When the first attempt was made.</param>
    /// <param name="now">When this one was.</param>
    /// <returns>
    /// At least <see cref="DeliveryOptions.FirstRetryAfter"/> and at most <see cref="DeliveryOptions.MaxRetryDelay"/> from now, never after the
    /// time to give up: the last attempt falls on it. Null when no attempt fits in any more: give up. But not by a clock that was set less than
    /// <see cref="DeliveryOptions.FirstRetryAfter"/> ago: a day that it was ahead for seconds has not passed.
    /// </returns>
    public DateTimeOffset? Next(int attempts, DateTimeOffset firstAttemptAt, DateTimeOffset now)
    {
        var left = firstAttemptAt + options.GiveUpAfter - now;
        if (left < options.FirstRetryAfter) return clock?.WasSetWithin(options.FirstRetryAfter) == true ? now + Delay(attempts) : null;
        var delay = Delay(attempts);
        return now + (delay < left ? delay : left);
    }

    private TimeSpan Delay(int attempts)
    {
        var first = options.FirstRetryAfter.TotalSeconds;
        var longest = LongestOf(options).TotalSeconds;
        var plain = Math.Min(longest, first * Math.Pow(options.RetryFactor, attempts));
        // Drawn between the bounds, not cut at them: half of all first waits would be equal to the second.
        var (least, most) = (Math.Max(first, plain * (1 - Jitter)), Math.Min(longest, plain * (1 + Jitter)));
        return TimeSpan.FromSeconds(least + (most - least) * Draw());
    }

    // Random is not safe for several threads at once, and all connections share this one.
    private double Draw()
    {
        lock (gate) return random.NextDouble();
    }
}
