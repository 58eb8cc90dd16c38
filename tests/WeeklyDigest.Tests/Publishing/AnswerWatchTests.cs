using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class AnswerWatchTests
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
    public void When_nobody_gets_an_answer_one_at_a_time_is_stalled()
    {
        var all = Enumerable.Range(0, Working).Select(_ => Begin()).ToList();
        var counts = new List<int>();
        for (var second = 1; second <= 8; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            Look(all);
            counts.Add(watch.Stalled);
        }
        Assert.Equal([0, 1, 1, 2, 2, 3, 3, 4], counts);
    }

    [Fact]
    public void A_fast_relay_that_is_silent_as_a_whole_is_tried_with_few_connections()
    {
        Answers(200, TimeSpan.FromMilliseconds(10));
        var all = Enumerable.Range(0, 16).Select(_ => Begin()).ToList();
        var counts = new List<int>();
        foreach (var after in new[] { 140, 160, 480, 1080, 2280, 4300, 6320 })
        {
            clock.Advance(TimeSpan.FromMilliseconds(after) - clock.GetElapsedTime(all[0].OwedSince));
            Look(all);
            counts.Add(watch.Stalled);
        }
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], counts);
    }

    [Fact]
    public void One_answer_to_what_was_handed_over_later_shows_that_the_relay_works_and_all_who_still_wait_are_stalled()
    {
        Answers(200, TimeSpan.FromMilliseconds(10));
        var all = Enumerable.Range(0, 16).Select(_ => Begin()).ToList();
        clock.Advance(TimeSpan.FromMilliseconds(160));
        Look(all);
        Assert.Equal(1, watch.Stalled);

        // The stand-in's.
        Answers(1, TimeSpan.FromMilliseconds(10));
        Look(all);
        Assert.Equal(1, watch.Stalled);
        clock.Advance(TimeSpan.FromMilliseconds(50));
        Look(all);
        Assert.Equal(16, watch.Stalled);
    }

    [Fact]
    public void A_relay_that_was_silent_as_a_whole_and_gives_what_it_owes_stalls_nobody_else()
    {
        Answers(200, TimeSpan.FromMilliseconds(10));
        var all = Enumerable.Range(0, 16).Select(_ => Begin()).ToList();
        clock.Advance(TimeSpan.FromMilliseconds(500));
        Look(all);
        var before = watch.Stalled;
        Answers(1, TimeSpan.FromMilliseconds(10));
        foreach (var wait in all)
        {
            Look(all);
            clock.Advance(TimeSpan.FromMilliseconds(1));
            watch.End(wait);
        }
        Assert.Equal((1, 0), (before, watch.Stalled));
    }

    [Fact]
    public void After_an_hour_without_messages_still_one_at_a_time_is_stalled()
    {
        Answers(200, TimeSpan.FromMilliseconds(10));
        clock.Advance(TimeSpan.FromHours(1));
        var all = Enumerable.Range(0, 16).Select(_ => Begin()).ToList();
        clock.Advance(TimeSpan.FromMilliseconds(160));
        Look(all);
        Assert.Equal(1, watch.Stalled);
    }

    [Fact]
    public void However_many_are_passed_over_at_once_the_next_one_is_looked_at_too()
    {
        Answers(200, TimeSpan.FromMilliseconds(10));
        var slow = Enumerable.Range(0, 250).Select(_ => Begin()).ToList();
        clock.Advance(TimeSpan.FromMilliseconds(20));
        var quick = Begin();
        clock.Advance(TimeSpan.FromMilliseconds(10));
        watch.End(quick);
        var (late, later) = (Begin(), Begin());
        clock.Advance(TimeSpan.FromMilliseconds(130));
        Look(slow);
        clock.Advance(TimeSpan.FromMilliseconds(45));
        Look(slow);
        Assert.Equal(250, watch.Stalled);
        Assert.True(watch.IsStalling(late, Working));
        Assert.False(watch.IsStalling(later, Working));
    }

    [Fact]
    public void A_relay_that_was_silent_for_a_second_has_a_fifth_of_one_to_give_what_it_owes()
    {
        Answers(200, TimeSpan.FromMilliseconds(5));
        var all = Enumerable.Range(0, 100).Select(_ => Begin()).ToList();
        for (var at = 20; at <= 1000; at += 20)
        {
            clock.Advance(TimeSpan.FromMilliseconds(20));
            Look(all);
        }
        var before = watch.Stalled;
        Answers(1, TimeSpan.FromMilliseconds(5));
        foreach (var wait in all)
        {
            clock.Advance(TimeSpan.FromMilliseconds(2));
            watch.End(wait);
            Look(all.Where(other => other.Since != 0));
        }
        Assert.Equal((2, 0), (before, watch.Stalled));
    }

    [Fact]
    public void A_relay_that_becomes_slow_as_a_whole_gets_few_more_connections()
    {
        Answers(200, TimeSpan.FromMilliseconds(5));
        var most = 0;
        List<AnswerWait> all = [Begin()];
        for (var second = 0; second < 60; second++)
        {
            for (var look = 0; look < 50; look++)
            {
                clock.Advance(TimeSpan.FromMilliseconds(20));
                Look(all);
                while (all.Count - watch.Stalled < 1) all.Add(Begin());
                most = Math.Max(most, all.Count);
            }
            foreach (var wait in all.Where(wait => clock.GetElapsedTime(wait.OwedSince) >= TimeSpan.FromSeconds(1)).ToList())
            {
                watch.End(wait);
                all.Remove(wait);
            }
            while (all.Count - watch.Stalled < 1) all.Add(Begin());
        }
        Assert.InRange(most, 1, 4);
    }

    [Fact]
    public void After_an_answer_the_patience_begins_anew()
    {
        Answers(200, TimeSpan.FromMilliseconds(10));
        for (var burst = 1; burst <= 5; burst++)
        {
            var all = Enumerable.Range(0, Working).Select(_ => Begin()).ToList();
            clock.Advance(TimeSpan.FromMilliseconds(160));
            Look(all);
            Assert.Equal(burst, watch.Stalled);
            foreach (var wait in all.Where(wait => !wait.IsStalled)) watch.Drop(wait);
            Answers(1, TimeSpan.FromMilliseconds(10));
        }
    }

    [Fact]
    public void A_relay_that_always_takes_long_stalls_nobody()
    {
        Answers(200, TimeSpan.FromSeconds(10));
        var wait = Begin();
        clock.Advance(TimeSpan.FromSeconds(40));
        Assert.False(watch.IsStalling(wait, Working));
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
