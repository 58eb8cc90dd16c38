using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed partial class AnswerWatchTests
{
    private const int Working = 4;
    private readonly ManualClock clock = new();
    private readonly AnswerWatch watch;

    public AnswerWatchTests() => watch = new AnswerWatch(clock);

    [Fact]
    public void Who_waits_while_the_others_get_many_answers_is_stalled()
    {
        var slow = Begin();
        Answers(29, TimeSpan.FromMilliseconds(1));
        Assert.False(watch.IsStalling(slow, Working));
        Answers(1, TimeSpan.FromMilliseconds(1));
        Assert.True(watch.IsStalling(slow, Working));
        Assert.False(watch.IsStalling(slow, Working));
        Assert.Equal(1, watch.Stalled);
        watch.End(slow);
        Assert.Equal(0, watch.Stalled);
    }

    [Fact]
    public void Messages_that_a_relay_was_not_asked_to_take_are_no_answers()
    {
        var slow = Begin();
        clock.Advance(TimeSpan.FromMilliseconds(100));
        for (var i = 0; i < 100; i++) watch.Drop(Begin());
        Assert.False(watch.IsStalling(slow, Working));
    }

    [Fact]
    public void A_relay_that_waits_for_us_is_not_to_blame_for_that_time()
    {
        var slow = Begin();
        clock.Advance(TimeSpan.FromSeconds(1.5));
        watch.Suspend(slow);
        Answers(100, TimeSpan.FromSeconds(1));
        Assert.False(watch.IsStalling(slow, Working));
        watch.Resume(slow);
        Assert.False(watch.IsStalling(slow, Working));
        Answers(30, TimeSpan.FromMilliseconds(10));
        Assert.True(watch.IsStalling(slow, Working));
    }

    [Fact]
    public void Who_has_a_stand_in_when_the_relay_waits_for_us_needs_no_other()
    {
        var slow = Begin();
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.True(watch.IsStalling(slow, Working));
        watch.Suspend(slow);
        watch.Resume(slow);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False(watch.IsStalling(slow, Working));
        Assert.Equal(1, watch.Stalled);
        watch.End(slow);
        Assert.Equal(0, watch.Stalled);
    }

    [Fact]
    public void What_a_relay_took_before_it_had_to_wait_for_us_is_part_of_what_it_usually_takes()
    {
        for (var i = 0; i < 200; i++)
        {
            var wait = Begin();
            clock.Advance(TimeSpan.FromSeconds(10));
            watch.Suspend(wait);
            watch.Resume(wait);
            watch.End(wait);
        }
        var next = Begin();
        clock.Advance(TimeSpan.FromSeconds(40));
        Assert.False(watch.IsStalling(next, Working));
    }

    [Fact]
    public void A_fiftieth_of_a_second_is_never_too_long()
    {
        var slow = Begin();
        Answers(190, TimeSpan.FromMicroseconds(100));
        Assert.False(watch.IsStalling(slow, Working));
    }

    [Fact]
    public void A_relay_that_always_takes_long_stalls_nobody()
    {
        Answers(200, TimeSpan.FromSeconds(10));
        var wait = Begin();
        clock.Advance(TimeSpan.FromSeconds(40));
        Assert.False(watch.IsStalling(wait, Working));
    }

    [Fact]
    public void After_three_answers_it_is_known_that_a_relay_takes_long_for_everybody()
    {
        Answers(3, TimeSpan.FromSeconds(4));
        var wait = Begin();
        clock.Advance(TimeSpan.FromSeconds(7));
        Assert.False(watch.IsStalling(wait, Working));
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True(watch.IsStalling(wait, Working));
    }

    [Fact]
    public void Some_that_take_long_between_others_show_nothing_of_the_relay()
    {
        Answers(3, TimeSpan.FromMilliseconds(10));
        for (var i = 0; i < 10; i++)
        {
            Answers(2, TimeSpan.FromSeconds(4));
            Answers(3, TimeSpan.FromMilliseconds(10));
        }
        var wait = Begin();
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(watch.IsStalling(wait, Working));
    }

    [Fact]
    public void A_relay_that_was_away_for_long_is_not_waited_for_as_long_again()
    {
        Answers(16, TimeSpan.FromSeconds(60));
        var wait = Begin();
        clock.Advance(TimeSpan.FromSeconds(65));
        Assert.True(watch.IsStalling(wait, Working));
    }

    private void Look(IEnumerable<AnswerWait> waits)
    {
        foreach (var wait in waits) watch.IsStalling(wait, Working);
    }

    private AnswerWait Begin()
    {
        var wait = new AnswerWait();
        watch.Begin(wait);
        return wait;
    }

    private void Answers(int count, TimeSpan each)
    {
        for (var i = 0; i < count; i++)
        {
            var wait = Begin();
            clock.Advance(each);
            watch.End(wait);
        }
    }
}
