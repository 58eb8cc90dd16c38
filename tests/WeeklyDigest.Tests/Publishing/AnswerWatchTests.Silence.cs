using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

// Relays that answer nobody, or nobody as fast as usual.
public sealed partial class AnswerWatchTests
{
    [Fact]
    public void When_nobody_gets_an_answer_few_at_a_time_are_stalled()
    {
        var all = Enumerable.Range(0, Working).Select(_ => Begin()).ToList();
        var counts = new List<int>();
        for (var second = 1; second <= 8; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            Look(all);
            counts.Add(watch.Stalled);
        }
        Assert.Equal([0, 1, 1, 3, 3, 4, 4, 4], counts);
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
        Assert.Equal([0, 1, 3, 5, 7, 9, 11], counts);
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
    public void Answers_that_took_long_themselves_do_not_put_off_finding_out()
    {
        Answers(200, TimeSpan.FromMilliseconds(10));
        var (slow, first) = (Begin(), Begin());
        clock.Advance(TimeSpan.FromSeconds(60));
        var next = Begin();
        clock.Advance(TimeSpan.FromMilliseconds(160));
        watch.End(slow);
        Look([first]);
        Assert.Equal(1, watch.Stalled);
        clock.Advance(TimeSpan.FromMilliseconds(160));
        watch.End(first);
        clock.Advance(TimeSpan.FromMilliseconds(160));
        Look([next]);
        Assert.Equal(1, watch.Stalled);
    }

    [Fact]
    public void A_first_recipient_that_takes_a_minute_does_not_make_the_relay_one_that_takes_minutes()
    {
        Answers(1, TimeSpan.FromSeconds(60));
        var next = Begin();
        clock.Advance(TimeSpan.FromSeconds(2.1));
        Assert.True(watch.IsStalling(next, Working));
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
        Assert.Equal((3, 0), (before, watch.Stalled));
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
        Assert.InRange(most, 1, 5);
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
}
