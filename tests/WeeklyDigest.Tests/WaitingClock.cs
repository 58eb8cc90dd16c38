namespace WeeklyDigest.Tests;

/// <summary>A clock on which every pause is over as soon as it began.</summary>
internal sealed class WaitingClock : TimeProvider
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    /// <summary>How long somebody waited.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>What happens during each pause.</summary>
    public Action<DateTimeOffset> WhileWaiting { get; set; } = _ => { };

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Waited.Ticks;

    public override DateTimeOffset GetUtcNow() => Begin + Waited;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Waited += dueTime;
        WhileWaiting(GetUtcNow());
        callback(state);
        return new EndedTimer();
    }

    private sealed class EndedTimer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
