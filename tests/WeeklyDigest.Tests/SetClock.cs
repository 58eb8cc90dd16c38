namespace WeeklyDigest.Tests;

/// <summary>A clock whose time of day is set, forwards or back, as on a machine: what is measured with it is not.</summary>
internal sealed class SetClock(DateTimeOffset start) : ManualClock(start)
{
    private long ahead;

    /// <summary>Sets the time of day; no time has passed.</summary>
    public void Jump(TimeSpan by) => Interlocked.Add(ref ahead, by.Ticks);

    /// <inheritdoc/>
    public override long GetTimestamp() => base.GetUtcNow().Ticks;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref ahead));
}
