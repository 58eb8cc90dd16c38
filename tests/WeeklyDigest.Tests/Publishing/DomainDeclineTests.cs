using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>How fast a held back domain's rows become fewer, as readings of the ledger tell.</summary>
public sealed class DomainDeclineTests
{
    private static readonly HeldBackDomain Unlimited = new(1, double.PositiveInfinity, TimeSpan.Zero, null);
    private static readonly HeldBackDomain TwentyASecond = Unlimited with { Allowed = 20 };
    private readonly ManualClock clock = new();
    private readonly DomainDecline decline;
    private DomainRows rows = new(1, 1000, 20, 0);

    public DomainDeclineTests() => decline = new DomainDecline(clock);

    [Fact]
    public void The_settings_tell_until_it_was_measured()
    {
        Assert.Equal(20, Read(TwentyASecond, 0));
        // Two nodes have twice as much.
        for (var i = 0; i < 10; i++) Read(TwentyASecond, 40);
        Assert.Equal(40, Read(TwentyASecond, 40)!.Value, 0.1);
    }

    [Fact]
    public void One_that_stays_behind_its_limit_is_told_by_what_it_does()
    {
        for (var i = 0; i < 5; i++) Read(TwentyASecond, 2);
        Assert.Equal(2, Read(TwentyASecond, 2)!.Value, 0.5);
    }

    [Fact]
    public void The_time_before_its_turn_says_nothing_of_its_pace()
    {
        rows = rows with { Held = 0 };
        for (var i = 0; i < 60; i++) Assert.Equal(20, Read(TwentyASecond, 0));
        rows = rows with { Held = 20 };
        Assert.Equal(20, Read(TwentyASecond, 20)!.Value, 0.1);
        Assert.Equal(20, Read(TwentyASecond, 20)!.Value, 0.1);
    }

    [Fact]
    public void A_row_that_is_put_off_was_tried_and_one_that_is_only_taken_was_not()
    {
        Read(Unlimited, 0);
        for (var i = 0; i < 5; i++) Read(Unlimited, 10, deferred: 10);
        Assert.Equal(10, Read(Unlimited, 10, deferred: 10)!.Value, 0.1);
        var taken = new DomainDecline(clock);
        for (var i = 0; i < 5; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Null(taken.Pace(Unlimited, new DomainRows(1, 1000 - i, i, 0), TimeSpan.MaxValue));
        }
    }

    [Fact]
    public void One_whose_answers_do_not_come_stands_still_whatever_the_settings_allow_but_not_for_having_asked_for_a_pause()
    {
        for (var i = 0; i < 10; i++) Read(TwentyASecond, 20);
        for (var i = 0; i < 12; i++) Read(TwentyASecond, 0);
        Assert.True(decline.StandsStill);
        Assert.Null(Read(TwentyASecond, 0));
        Read(TwentyASecond with { PausedFor = TimeSpan.FromSeconds(5) }, 0);
        Assert.False(decline.StandsStill);
    }

    [Fact]
    public void A_limit_of_one_in_minutes_does_not_stand_still_between_two()
    {
        var seldom = TwentyASecond with { Allowed = 1 / 120.0 };
        for (var i = 0; i < 300; i++) Assert.NotNull(Read(seldom, 0));
    }

    [Fact]
    public void What_only_waits_for_its_answer_does_not_wait_for_the_limit()
    {
        var seldom = TwentyASecond with { Allowed = 1 / 60.0 };
        rows = new DomainRows(1, 0, 1, 0);
        for (var i = 0; i < 10; i++) Assert.NotNull(Read(seldom, 0));
        for (var i = 0; i < 5; i++) Read(seldom, 0);
        Assert.True(decline.StandsStill);
    }

    [Fact]
    public void A_pause_that_it_asked_for_is_not_held_against_it_afterwards()
    {
        for (var i = 0; i < 20; i++) Read(Unlimited, 10);
        for (var i = 0; i < 16; i++) Read(Unlimited with { PausedFor = TimeSpan.FromSeconds(16 - i) }, 0);
        Read(Unlimited, 0);
        Assert.False(decline.StandsStill);
        Assert.NotNull(Read(Unlimited, 1));
        Assert.Equal(10, Read(Unlimited, 10)!.Value, 0.1);
    }

    [Fact]
    public void Of_one_that_accepts_nothing_for_its_own_wish_nothing_is_told_until_it_does()
    {
        var paused = TwentyASecond with { PausedFor = TimeSpan.FromSeconds(1) };
        for (var i = 0; i < 60; i++)
        {
            // Each refused one is put off.
            var probes = i is 1 or 3 or 7 or 15 or 31 ? 1 : 0;
            Assert.Null(Read(probes > 0 ? TwentyASecond : paused, probes, deferred: probes));
        }
        Assert.Equal(20, Read(TwentyASecond, 1));
        for (var i = 0; i < 5; i++) Assert.Equal(20, Read(TwentyASecond, 20)!.Value, 0.1);
    }

    [Fact]
    public void One_that_asks_for_less_and_accepts_some_is_told_by_what_it_does()
    {
        for (var i = 0; i < 60; i++)
        {
            var pace = Read(TwentyASecond with { PausedFor = TimeSpan.FromSeconds(i % 6 == 0 ? 0 : 1) }, i % 6 == 0 ? 6 : 0);
            if (i > 20) Assert.InRange(pace!.Value, 0.7, 1.5);
        }
    }

    [Fact]
    public void One_whose_answers_take_long_and_come_together_does_not_stand_still_between_them()
    {
        var slow = Unlimited with { AnswerTime = TimeSpan.FromSeconds(15) };
        for (var i = 1; i <= 60; i++)
        {
            var pace = Read(slow, i % 15 == 0 ? 64 : 0);
            if (i > 15) Assert.NotNull(pace);
        }
        for (var i = 0; i < 80; i++) Read(slow, 0);
        Assert.True(decline.StandsStill);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(1)]
    public void Time_in_which_the_ledger_could_not_be_used_says_nothing_of_its_pace(int everySecond)
    {
        for (var i = 0; i < 40; i++) Read(Unlimited, everySecond);
        for (var i = 0; i < 44; i++) Read(Unlimited, 0, usableFor: TimeSpan.Zero);
        Read(Unlimited, 0, usableFor: TimeSpan.FromSeconds(0.5));
        for (var second = 1; second <= 20; second++) Assert.Equal(everySecond, Read(Unlimited, everySecond, usableFor: TimeSpan.FromSeconds(second + 0.5))!.Value, 0.1 * everySecond);
        Assert.False(decline.StandsStill);
    }

    // A second later, so many more were done.
    private double? Read(HeldBackDomain domain, int done, int deferred = 0, TimeSpan? usableFor = null)
    {
        clock.Advance(TimeSpan.FromSeconds(1));
        rows = rows with { Pending = rows.Pending - done, Deferred = rows.Deferred + deferred };
        return decline.Pace(domain, rows, usableFor ?? TimeSpan.MaxValue);
    }
}
