using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>The pace that is shown, from second to second.</summary>
public sealed class AttemptRateTests
{
    private readonly ManualClock clock = new();
    private readonly AttemptRate rate;
    private long attempts;

    public AttemptRateTests()
    {
        rate = new AttemptRate(clock);
        rate.Of(0);
    }

    [Theory]
    [InlineData(300, 1)]
    [InlineData(300, 10)]
    [InlineData(300, 30)]
    [InlineData(80, 2)]
    public void A_slow_pace_is_told_as_soon_as_ten_seconds_have_passed_since_a_fast_one(int fast, int every)
    {
        for (var second = 1; second <= 5; second++) Pass(fast);
        for (var second = 1; second <= 8 * every + 20; second++)
        {
            var told = Pass(second % every == 0 ? 1 : 0);
            if (second >= Math.Max(10, every)) Assert.InRange(told * every, 0.99, 1.01);
        }
    }

    [Fact]
    public void So_it_is_where_the_fast_one_was_not_that_fast()
    {
        for (var second = 1; second <= 60; second++) Pass(5);
        for (var second = 1; second <= 300; second++)
        {
            var told = Pass(second % 10 == 0 ? 1 : 0);
            if (second >= 10) Assert.InRange(told, 0.09, 0.14);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(30)]
    [InlineData(60)]
    public void A_steady_slow_pace_neither_jumps_nor_is_nothing(int every)
    {
        for (var second = 1; second <= 600; second++)
        {
            var told = Pass(second % every == 0 ? 1 : 0);
            if (second >= 2 * every) Assert.InRange(told * every, 0.8, 1.25);
        }
    }

    [Fact]
    public void Neither_does_one_that_comes_by_chance()
    {
        int[] gaps = [1, 19, 3, 17, 10, 2, 25, 3];
        for (var i = 0; i < 64; i++)
        {
            for (var second = 1; second < gaps[i % gaps.Length]; second++) Check(Pass(0));
            Check(Pass(1));

            void Check(double told)
            {
                if (i > 8) Assert.InRange(told, 0.07, 0.13);
            }
        }
    }

    [Fact]
    public void A_relay_that_becomes_slower_shows_at_once_and_one_that_becomes_faster_too()
    {
        for (var second = 1; second <= 60; second++) Pass(4);
        for (var second = 1; second <= 20; second++) Pass(second % 2);
        Assert.Equal(0.5, Pass(1), 0.2);
        for (var second = 1; second <= 10; second++) Pass(20);
        Assert.Equal(20, Pass(20), 0.1);
    }

    [Theory]
    [InlineData(20, 1)]
    [InlineData(1, 30)]
    public void What_is_left_out_changes_no_pace(int attempts, int every)
    {
        for (var second = 1; second <= 120; second++) Pass(second % every == 0 ? attempts : 0);
        for (var second = 1; second <= 600; second++) LeaveOut(second < 10 ? 7 : 0);
        for (var second = 1; second <= 120; second++) Assert.InRange(Pass(second % every == 0 ? attempts : 0) * every / attempts, 0.8, 1.25);
    }

    [Fact]
    public void Left_out_from_the_first_there_is_no_pace_yet()
    {
        LeaveOut(5);
        Assert.Equal(0, Pass(0));
    }

    // A second later, so many more were tried, and nothing is asked.
    private void LeaveOut(int more)
    {
        clock.Advance(TimeSpan.FromSeconds(1));
        rate.LeaveOut(attempts += more);
    }

    // A second later, so many more were tried.
    private double Pass(int more)
    {
        clock.Advance(TimeSpan.FromSeconds(1));
        return rate.Of(attempts += more);
    }
}
