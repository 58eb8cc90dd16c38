using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>How often the deliveries of a mailing under way are counted.</summary>
public sealed class ProgressCountTests
{
    private static readonly Balance Start = new(1000, 900, 50, 10, 20, 15, 3, 1, 1, 40, 0);
    private readonly ManualClock clock = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_are_counted_at_most_once_a_second_and_seldom_when_that_takes_long()
    {
        var reads = 0;
        var slow = TimeSpan.Zero;
        var meter = new ProgressMeter(_ => Count(), clock);
        for (var i = 0; i < 20; i++)
        {
            await meter.RefreshAsync(Cancel);
            clock.Advance(TimeSpan.FromMilliseconds(500));
        }
        Assert.Equal(10, reads);

        slow = TimeSpan.FromSeconds(2);
        await RunAsync(seconds: 60);
        reads = 0;
        await RunAsync(seconds: 120);
        Assert.InRange(reads, 3, 4);

        async Task RunAsync(int seconds)
        {
            for (var i = 0; i < seconds; i++)
            {
                await meter.RefreshAsync(Cancel);
                clock.Advance(TimeSpan.FromSeconds(1));
            }
        }

        Task<Standing> Count()
        {
            reads++;
            clock.Advance(slow);
            return Task.FromResult(new Standing(Start));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_count_that_waited_for_a_database_that_hung_is_made_again_soon(bool fails)
    {
        var (reads, hangs) = (0, TimeSpan.Zero);
        var meter = new ProgressMeter(_ => CountAsync(), clock);
        await meter.RefreshAsync(Cancel);
        clock.Advance(TimeSpan.FromSeconds(1));
        hangs = TimeSpan.FromMinutes(1);
        for (var hang = 0; hang < (fails ? 3 : 1); hang++)
        {
            if (fails) await Assert.ThrowsAsync<IOException>(() => meter.RefreshAsync(Cancel));
            else await meter.RefreshAsync(Cancel);
            clock.Advance(TimeSpan.FromSeconds(2));
        }
        hangs = TimeSpan.Zero;
        Assert.True(await meter.RefreshAsync(Cancel));
        Assert.Equal(fails ? 5 : 3, reads);

        Task<Standing> CountAsync()
        {
            reads++;
            clock.Advance(hangs);
            return fails && hangs > TimeSpan.Zero ? throw new IOException("away") : Task.FromResult(new Standing(Start));
        }
    }

    [Theory]
    [InlineData(0, 0.9)]
    [InlineData(2, 40)]
    [InlineData(60, 300)]
    public async Task A_count_that_fails_is_not_tried_again_at_once_when_it_took_long_and_not_for_hours_either(int seconds, double rest)
    {
        var reads = 0;
        var meter = new ProgressMeter(_ => FailAsync(), clock);
        await Assert.ThrowsAsync<IOException>(() => meter.RefreshAsync(Cancel));
        clock.Advance(TimeSpan.FromSeconds(rest - 0.1));
        Assert.False(await meter.RefreshAsync(Cancel));
        clock.Advance(TimeSpan.FromSeconds(0.1));
        await Assert.ThrowsAsync<IOException>(() => meter.RefreshAsync(Cancel));
        Assert.Equal(2, reads);

        Task<Standing> FailAsync()
        {
            reads++;
            clock.Advance(TimeSpan.FromSeconds(seconds));
            throw new IOException("away");
        }
    }
}
