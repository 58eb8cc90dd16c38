namespace WeeklyDigest.Tests;

/// <summary>A clock that somebody sets back, while time goes on: what <see cref="ManualClock"/> cannot show, whose timestamps are the time of day.</summary>
internal sealed class SetBackClock : TimeProvider
{
    private DateTimeOffset now = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
    private TimeSpan passed = TimeSpan.FromDays(3);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => now;

    public override long GetTimestamp() => passed.Ticks;

    /// <summary>Time passes.</summary>
    public void Pass(TimeSpan time) => (now, passed) = (now + time, passed + time);

    /// <summary>The time of day is another, and no time has passed.</summary>
    public void SetBack(TimeSpan time) => now -= time;
}
