using CsCheck;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class ProgressMeterTests
{
    private static readonly Balance Start = new(1000, 900, 50, 10, 20, 15, 3, 1, 1, 40, 0);
    private readonly FakeTimeProvider clock = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void It_adds_up_whatever_is_moved() => Gen.Select(Gen.Enum<DeliveryState>(), Gen.Enum<DeliveryState>(), Gen.Long[0, 500]).List[0, 50].Sample(moves =>
    {
        var meter = new ProgressMeter(_ => Task.FromResult(Start), new FakeTimeProvider());
        meter.Start(Start);
        foreach (var (from, to, rows) in moves)
        {
            meter.Move(from, to, rows, attempted: false);
            var balance = meter.Progress(null).Balance;
            if (!balance.AddsUp || balance.Pending < 0 || balance.Claimed < 0 || balance.Sending < 0) return false;
        }
        return true;
    });

    [Fact]
    public void The_rate_is_that_of_the_last_ten_seconds_and_the_rest_follows_from_it()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(Start), clock);
        meter.Start(Start);
        Assert.Null(meter.Progress(null).Remaining);
        for (var second = 0; second < 30; second++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            meter.Move(DeliveryState.Pending, DeliveryState.Sent, second < 15 ? 2 : 20, attempted: true);
            meter.Progress(null);
        }

        var progress = meter.Progress(null);
        Assert.Equal(20, progress.MessagesPerSecond, 1);
        var waiting = progress.Balance.Pending + progress.Balance.Claimed + progress.Balance.Sending;
        Assert.Equal(waiting / 20.0, progress.Remaining!.Value.TotalSeconds, 1);
    }

    [Fact]
    public void A_run_that_stands_still_says_so()
    {
        var meter = new ProgressMeter(_ => Task.FromResult(Start), clock);
        meter.Start(Start);
        meter.Progress(null);
        clock.Advance(TimeSpan.FromSeconds(5));
        var progress = meter.Progress("relay down");
        Assert.Equal((0.0, null, "relay down"), (progress.MessagesPerSecond, progress.Remaining, progress.Notice));
    }

    [Fact]
    public async Task The_ledger_is_counted_at_most_once_a_second_and_seldom_when_that_takes_long()
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
        reads = 0;
        for (var i = 0; i < 120; i++)
        {
            await meter.RefreshAsync(Cancel);
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.InRange(reads, 3, 4);

        Task<Balance> Count()
        {
            reads++;
            clock.Advance(slow);
            return Task.FromResult(Start);
        }
    }
}
