using CsCheck;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Deliveries;

public sealed class RetryScheduleTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    private static readonly Gen<DeliveryOptions> AnyOptions =
        from first in Gen.Int[1, 86_400]
        from longer in Gen.Int[0, 86_400]
        from factor in Gen.Double[1, 10]
        from giveUp in Gen.Int[60, 14 * 86_400]
        select new DeliveryOptions
        {
            FirstRetryAfter = TimeSpan.FromSeconds(first),
            MaxRetryDelay = TimeSpan.FromSeconds(first + longer),
            RetryFactor = factor,
            GiveUpAfter = TimeSpan.FromSeconds(giveUp),
        };

    [Fact]
    public void A_wait_is_never_shorter_than_the_first_nor_longer_than_the_longest() => AnyAttempt.Sample((options, seed, attempts, age) =>
    {
        var now = Start + age;
        var next = new RetrySchedule(options, new Random(seed)).Next(attempts, Start, now);
        return next is null || (next - now >= options.FirstRetryAfter && next - now <= options.MaxRetryDelay);
    });

    [Fact]
    public void No_attempt_is_planned_after_the_time_to_give_up() => AnyAttempt.Sample((options, seed, attempts, age) =>
    {
        var next = new RetrySchedule(options, new Random(seed)).Next(attempts, Start, Start + age);
        return next is null ? Start + age + options.FirstRetryAfter > Start + options.GiveUpAfter : next <= Start + options.GiveUpAfter;
    });

    [Fact]
    public void Every_delivery_that_is_always_deferred_ends() => Gen.Select(AnyOptions, Gen.Int).Sample((options, seed) =>
    {
        var schedule = new RetrySchedule(options, new Random(seed));
        var now = Start;
        var attempts = 0;
        while (schedule.Next(attempts, Start, now) is { } next)
        {
            (now, attempts) = (next, attempts + 1);
        }

        return now <= Start + options.GiveUpAfter;
    });

    [Fact]
    public void Waits_grow_by_the_factor_within_the_jitter()
    {
        var schedule = new RetrySchedule(new DeliveryOptions(), new Random(1));
        foreach (var (attempts, minutes) in new[] { (1, 10.0), (2, 20), (3, 40), (4, 80), (5, 160) })
        {
            var wait = schedule.Next(attempts, Start, Start)!.Value - Start;
            Assert.InRange(wait.TotalMinutes, minutes * 0.8, minutes * 1.2);
        }
    }

    [Fact]
    public void Ten_thousand_deferred_rows_do_not_come_due_at_once()
    {
        var schedule = new RetrySchedule(new DeliveryOptions(), new Random(1));
        var seconds = Enumerable.Range(0, 10_000).Select(_ => (long)(schedule.Next(2, Start, Start)!.Value - Start).TotalSeconds);
        Assert.True(seconds.GroupBy(second => second).Max(group => group.Count()) < 200);
    }

    [Fact]
    public void By_default_it_gives_up_after_three_days()
    {
        var schedule = new RetrySchedule(new DeliveryOptions(), new Random(1));
        Assert.NotNull(schedule.Next(20, Start, Start.AddDays(3).AddMinutes(-6)));
        Assert.Null(schedule.Next(20, Start, Start.AddDays(3)));
    }

    private static Gen<(DeliveryOptions, int, int, TimeSpan)> AnyAttempt =>
        Gen.Select(AnyOptions, Gen.Int, Gen.Int[0, 1000], Gen.Int[-3600, 15 * 86_400].Select(age => TimeSpan.FromSeconds(age)));
}
