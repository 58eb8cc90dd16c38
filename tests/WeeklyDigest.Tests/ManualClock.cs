using Microsoft.Extensions.Time.Testing;

namespace WeeklyDigest.Tests;

/// <summary>
/// A clock that a test moves, whose timers may be changed on one thread while another disposes of them, as the system's may: the engine's connections
/// do that whenever a limit ends just as they set the next one.
/// </summary>
/// <remarks>
/// <see cref="FakeTimeProvider"/> forgets the callback of a disposed timer; a change that is under way at that moment leaves a timer without one
/// behind, and the next step of the clock ends with a <see cref="NullReferenceException"/>.
/// </remarks>
internal class ManualClock : FakeTimeProvider
{
    /// <summary>A clock that stands at midnight of 1 January 2000, UTC.</summary>
    public ManualClock()
    {
    }

    /// <summary>A clock that stands at a time.</summary>
    public ManualClock(DateTimeOffset start)
        : base(start)
    {
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SteadyTimer(callback, state);
        timer.Under = base.CreateTimer(static timer => ((SteadyTimer)timer!).Tick(), timer, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>A timer that keeps its callback and, once disposed of, does not call it.</summary>
    private sealed class SteadyTimer(TimerCallback callback, object? state) : ITimer
    {
        private volatile bool isDisposed;

        public ITimer Under { private get; set; } = null!;

        public void Tick()
        {
            if (!isDisposed) callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => !isDisposed && Under.Change(dueTime, period);

        public void Dispose()
        {
            isDisposed = true;
            Under.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
