namespace WeeklyDigest.Server;

/// <summary>A clock whose local time is the newsletter's, not the machine's: the date shown in an issue is the readers'.</summary>
/// <param name="clock">The clock.</param>
/// <param name="zone">The newsletter's time zone.</param>
internal sealed class ZonedTime(TimeProvider clock, TimeZoneInfo zone) : TimeProvider
{
    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => zone;

    /// <inheritdoc/>
    public override long TimestampFrequency => clock.TimestampFrequency;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    /// <inheritdoc/>
    public override long GetTimestamp() => clock.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        => clock.CreateTimer(callback, state, dueTime, period);
}
