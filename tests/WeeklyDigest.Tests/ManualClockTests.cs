namespace WeeklyDigest.Tests;

public sealed class ManualClockTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualClock clock = new();

    [Fact]
    public async Task A_limit_that_is_set_anew_while_it_ends_does_not_stop_the_clock()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var ready = new Barrier(2);
        for (var round = 0; round < 20_000; round++)
        {
            using var limit = new CancellationTokenSource(Second, clock);
            var setting = Task.Run(
                () =>
                {
                    ready.SignalAndWait(cancel);
                    limit.CancelAfter(Second);
                },
                cancel);
            ready.SignalAndWait(cancel);
            clock.Advance(Second);
            await setting;
            clock.Advance(Second);
            Assert.True(limit.IsCancellationRequested);
        }
    }

    [Fact]
    public void A_timer_ticks_in_its_rhythm_until_it_is_changed_or_disposed_of()
    {
        var ticks = 0;
        using var timer = clock.CreateTimer(_ => ticks++, null, Second, 2 * Second);
        clock.Advance(4 * Second);
        Assert.Equal(2, ticks);

        Assert.True(timer.Change(3 * Second, Timeout.InfiniteTimeSpan));
        clock.Advance(10 * Second);
        Assert.Equal(3, ticks);

        Assert.True(timer.Change(Second, Second));
        timer.Dispose();
        clock.Advance(10 * Second);
        Assert.Equal(3, ticks);
        Assert.False(timer.Change(Second, Second));
    }
}
