using CsCheck;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class ProgressMeterTests
{
    private static readonly Balance Start = new(1000, 900, 50, 10, 20, 15, 3, 1, 1, 40, 0);
    private static readonly RelaySpeed Free = new(double.PositiveInfinity, IsReached: false);
    private readonly ManualClock clock = new();

    [Fact]
    public void It_adds_up_whatever_is_moved() => Gen.Select(Gen.Enum<DeliveryState>(), Gen.Enum<DeliveryState>(), Gen.Long[0, 500]).List[0, 50].Sample(moves =>
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), new ManualClock());
        meter.Start(new Standing(Start));
        foreach (var (from, to, rows) in moves)
        {
            meter.Move(from, to, rows, attempted: false);
            var balance = meter.Progress(null, Free).Balance;
            if (!balance.AddsUp || balance.Pending < 0 || balance.Claimed < 0 || balance.Sending < 0) return false;
        }
        return true;
    });

    [Fact]
    public void The_rate_is_that_of_the_last_ten_seconds_and_the_rest_follows_from_it()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(Start));
        Assert.Null(meter.Progress(null, Free).Remaining);
        for (var second = 0; second < 30; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            meter.Move(DeliveryState.Pending, DeliveryState.Sent, second < 15 ? 2 : 20, attempted: true);
            meter.Progress(null, Free);
        }

        var progress = meter.Progress(null, Free);
        Assert.Equal(20, progress.MessagesPerSecond, 1);
        Assert.Equal(progress.Balance.Open / 20.0, progress.Remaining!.Value.TotalSeconds, 1);
        Assert.Equal(clock.GetUtcNow() + progress.Remaining, progress.DoneAt);
    }

    [Fact]
    public void A_slow_pace_is_told_from_a_longer_past_and_standing_still_from_its_own_gap()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(Start));
        Run(meter, seconds: 280, everySeconds: 40);
        Assert.Equal(1 / 40.0, Run(meter, 30, 40).MessagesPerSecond, 0.005);
        Assert.NotEqual(0, Run(meter, 150, null).MessagesPerSecond);
        var stopped = Run(meter, 60, null);
        Assert.Equal((0.0, null), (stopped.MessagesPerSecond, stopped.Remaining));
    }

    [Fact]
    public void A_fast_run_that_stops_is_told_within_seconds()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(Start));
        Assert.Equal(1, Run(meter, 60, 1).MessagesPerSecond, 0.1);
        Assert.Null(Run(meter, 12, null).Remaining);
    }

    [Fact]
    public void Deferred_rows_count_and_so_does_the_time_the_last_one_is_due()
    {
        var due = clock.GetUtcNow().AddMinutes(20);
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(Start) { LastAttemptAt = due });
        Assert.Equal(due, Run(meter, 20, 1).DoneAt);

        var onlyDeferred = new Balance(1000, 0, 0, 0, 20, 980, 0, 0, 0, 1000, 0);
        meter.Start(new Standing(onlyDeferred) { LastAttemptAt = due });
        Assert.Equal(due, meter.Progress(null, Free).DoneAt);
    }

    [Fact]
    public void Rows_that_wait_for_the_editor_are_not_waited_for()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(Start) { LeftAlone = 900 });
        Assert.Equal(80 - 20, Run(meter, 20, 1).Remaining!.Value.TotalSeconds, 5.0);
    }

    [Fact]
    public void A_domain_that_is_held_back_ends_at_its_own_pace_and_the_others_at_that_of_all()
    {
        var meter = Holding(LeftOf(500, 20));
        // 480 others are through long before it.
        Assert.Equal(25 - 8, Run(meter, 8, 1, rows: 80).Remaining!.Value.TotalSeconds, 0.1);
        // It is all that is left: what the others did within the last ten seconds tells nothing.
        Assert.Equal(25 - 14, Run(meter, 6, 1, rows: 20).Remaining!.Value.TotalSeconds, 0.1);

        // And it may be through long before the others.
        Assert.Equal((980 - 80) / 8.0, Run(Holding(LeftOf(100, 20)), 10, 1, rows: 8).Remaining!.Value.TotalSeconds, 1.0);
    }

    [Fact]
    public void A_domain_that_gets_more_places_when_the_others_are_gone_takes_less_from_then_on()
    {
        var meter = Holding(LeftOf(200, 4) with { Later = 16 });
        // 780 others at 78 of 82 a second, and what is left then at 16.
        var others = (980 - 200) / 82.0;
        Assert.Equal(others + (200 - 4 * (others + 1)) / 16, Run(meter, 1, 1, rows: 82).Remaining!.Value.TotalSeconds, 2.0);
    }

    [Fact]
    public void A_pause_that_a_domain_asked_for_counts()
    {
        var meter = Holding(LeftOf(970, 97) with { OpensIn = TimeSpan.FromSeconds(30) });
        Assert.Equal(40, meter.Progress(null, Free).Remaining!.Value.TotalSeconds, 0.1);
        clock.Advance(TimeSpan.FromSeconds(35));
        meter.Move(DeliveryState.Pending, DeliveryState.Sent, 485, attempted: true);
        Assert.Equal(5, meter.Progress(null, Free).Remaining!.Value.TotalSeconds, 0.1);
    }

    [Fact]
    public void Of_a_limit_of_one_in_minutes_the_next_place_is_where_it_begins()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        var four = LeftOf(4, 1 / 60.0) with { OpensIn = TimeSpan.FromSeconds(50), HasRate = true };
        meter.Start(new Standing(new Balance(1000, 4, 0, 0, 0, 996, 0, 0, 0, 996, 0)) { HeldBack = new DomainsLeft([four], clock.GetTimestamp()) });
        Assert.Equal(50 + 3 * 60, meter.Progress(null, Free).Remaining!.Value.TotalSeconds, 0.1);
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(30 + 3 * 60, meter.Progress(null, Free).Remaining!.Value.TotalSeconds, 0.1);
    }

    [Theory]
    [InlineData(500, false)]
    [InlineData(400, true)]
    public void An_unknown_pace_leaves_the_end_unknown_where_it_is_that_of_most_of_what_is_left(long rows, bool isTold)
        => Assert.Equal(isTold, Run(Holding(LeftOf(rows, null)), 5, 1).Remaining is not null);

    [Fact]
    public void While_no_relay_can_be_used_domains_have_no_end_either()
        => Assert.Null(Holding(LeftOf(980, 20)).Progress(null, new RelaySpeed(0, IsReached: true)).Remaining);

    [Fact]
    public void A_relay_at_its_limit_is_told_by_the_limit_and_relays_that_are_down_by_nothing()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(Start));
        // Before anything was sent, and however fast a burst was.
        Assert.Equal(980 / 0.1, meter.Progress(null, new RelaySpeed(0.1, IsReached: true)).Remaining!.Value.TotalSeconds, 1.0);
        Run(meter, 10, 1);
        Assert.Equal(970 / 0.1, meter.Progress(null, new RelaySpeed(0.1, IsReached: false)).Remaining!.Value.TotalSeconds, 20.0);
        Assert.Null(meter.Progress(null, new RelaySpeed(0, IsReached: true)).Remaining);
    }

    [Fact]
    public void What_is_mostly_answers_that_nobody_knows_when_to_expect_has_no_end_to_foretell()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(new Balance(1000, 0, 0, 40, 0, 960, 0, 0, 0, 960, 0)));
        Assert.NotNull(Run(meter, 12, 1).Remaining);
        var open = meter.Progress(null, Free).Balance.Open;
        Assert.NotNull(meter.Progress(null, Free with { Stalled = (int)open / 2 - 1 }).Remaining);
        Assert.Null(meter.Progress(null, Free with { Stalled = (int)open / 2 + 1 }).Remaining);
    }

    [Theory]
    [InlineData(MailingState.Paused)]
    [InlineData(MailingState.Cancelled)]
    public void A_mailing_that_is_held_has_no_pace_and_no_end_until_it_is_sent_again(MailingState state)
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(Start) { LastAttemptAt = clock.GetUtcNow().AddMinutes(20) });
        Assert.NotNull(Run(meter, 20, 1).DoneAt);
        meter.WaitsUntil = clock.GetUtcNow().AddHours(1);
        meter.Note(state, "by the editor");
        var held = Run(meter, 1, 1);
        Assert.Equal((true, state, "by the editor"), (held.IsHeld, held.State, held.StateReason));
        Assert.Equal((0.0, null, null, null), (held.MessagesPerSecond, held.Remaining, held.DoneAt, held.WaitsUntil));

        meter.Note(MailingState.Sending, null);
        Assert.True(Run(meter, 1, 1) is { IsHeld: false, MessagesPerSecond: > 0, DoneAt: not null, WaitsUntil: not null });
    }

    private static DomainLeft LeftOf(long rows, double? pace) => new(new DomainRows(1, rows, 0, 0), pace, pace, TimeSpan.Zero);

    private ProgressMeter Holding(DomainLeft left)
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(Start) { HeldBack = new DomainsLeft([left], clock.GetTimestamp()) });
        return meter;
    }

    // Asked once a second, messages sent every so many seconds.
    private DeliveryProgress Run(ProgressMeter meter, int seconds, int? everySeconds, int rows = 1)
    {
        var last = meter.Progress(null, Free);
        for (var second = 1; second <= seconds; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            if (everySeconds is { } every && second % every == 0) meter.Move(DeliveryState.Pending, DeliveryState.Sent, rows, attempted: true);
            last = meter.Progress(null, Free);
        }
        return last;
    }

    [Fact]
    public void While_nothing_can_be_sent_no_pace_and_no_end_is_told_and_then_those_from_before()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(Start));
        var before = Run(meter, seconds: 60, everySeconds: 1);
        for (var second = 1; second <= 44; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            var told = meter.Standstill("no ledger");
            Assert.Equal((0.0, null, null, "no ledger", before.Balance), (told.MessagesPerSecond, told.Remaining, told.DoneAt, told.Notice, told.Balance));
        }
        var after = Run(meter, seconds: 1, everySeconds: 1);
        Assert.Equal((before.MessagesPerSecond, before.Balance.Open - 1.0), (after.MessagesPerSecond, after.Remaining!.Value.TotalSeconds * after.MessagesPerSecond));
    }

    [Fact]
    public void A_run_that_stands_still_says_so()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(new Standing(Start)), clock);
        meter.Start(new Standing(Start));
        meter.Progress(null, Free);
        clock.Advance(TimeSpan.FromSeconds(5));
        var progress = meter.Progress("relay down", Free);
        Assert.Equal((0.0, null, "relay down"), (progress.MessagesPerSecond, progress.Remaining, progress.Notice));
    }
}
