using System.Collections.Concurrent;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Limits of a relay, with engines and a database.</summary>
public sealed class RelayRateTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_per_second_hold_over_all_connections()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(45);
        var started = place.Time.GetTimestamp();
        await place.Start(relay => relay with { MessagesPerSecond = 20 }).RunAsync(mailing);

        // Five at once, then one every 50 ms.
        Assert.InRange(place.Time.GetElapsedTime(started).TotalSeconds, 1.95, 20);
        Assert.Equal(45, (await place.ReconcileAsync(mailing)).Sent);
    }

    [Fact]
    public async Task Two_processes_share_a_limit()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(60);
        var processes = new[] { place.Start(relay => relay with { MessagesPerMinute = 1200 }), place.Start(relay => relay with { MessagesPerMinute = 1200 }) };
        var started = place.Time.GetTimestamp();
        await Task.WhenAll(processes.Select(process => process.RunAsync(mailing)));

        // Twenty at once, then one every 51 ms.
        Assert.InRange(place.Time.GetElapsedTime(started).TotalSeconds, 1.95, 30);
        Assert.Equal(60, (await place.ReconcileAsync(mailing)).Sent);
    }

    [Fact]
    public async Task While_a_limit_is_used_up_no_row_is_held()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(10);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var process = place.Start(relay => relay with { MessagesPerHour = 60 });
        var running = process.RunUntilAsync(mailing, giveUp.Token);
        await place.Server.WaitForAcceptedAsync(1, Limit);
        await HoldsAsync(async () => await place.BalanceAsync(mailing) is { Pending: 9, Claimed: 0, Sending: 0, Sent: 1 });
        Assert.Equal("Relay 'test' is at its limit of 60 messages an hour.", process.Sessions.Notice);

        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Limit, Cancel));
        // A restart does not begin the hour anew.
        Assert.Equal(0, (await place.Database.Relays.DrawAsync("test", new(0, 0, 60), 1, Cancel)).Count);
    }

    [Fact]
    public async Task What_a_relay_at_its_limit_cannot_take_the_others_do_whatever_the_weights()
    {
        await using var place = EnginePlace.Open();
        await using var second = ScriptedSmtpServer.Start();
        var mailing = await place.PublishAsync(100);
        var result = await place.StartOver(
            EnginePlace.Relay("first", place.Server) with { Weight = 100, MessagesPerHour = 60 }, EnginePlace.Relay("second", second)).RunAsync(mailing);

        Assert.Equal(MailingState.Sent, result.State);
        Assert.Equal((1, 99), (place.Server.AcceptedCount, second.AcceptedCount));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Places_that_grew_old_while_connections_were_opened_are_not_used_all_at_once(bool ofTheRelay)
    {
        var greeting = new TaskCompletionSource();
        var arrived = new ConcurrentQueue<long>();
        await using var place = EnginePlace.Open(moment =>
        {
            if (moment.Stage == SmtpStage.Message) arrived.Enqueue(TimeProvider.System.GetTimestamp());
            return moment.Stage == SmtpStage.Connect ? SmtpMove.Hold(greeting.Task, SmtpMove.Accept) : SmtpMove.Accept;
        }, new DeliveryOptions { Domains = ofTheRelay ? [] : [new DomainOptions { MessagesPerSecond = 10 }] });
        var mailing = await place.PublishAsync(30);
        var running = place.Start(relay => relay with { Connections = 20, MessagesPerSecond = ofTheRelay ? 10 : 0 }).RunAsync(mailing);
        await place.Server.WaitForAsync(relay => relay.Connections >= 10, Limit, "all connections that the rate can use");
        await Task.Delay(TimeSpan.FromMilliseconds(400), TimeProvider.System, Cancel);
        greeting.SetResult();
        await running;

        // A quarter of a second's worth at once, and one every 100 ms; the places of ten connections more without that.
        long[] times = [.. arrived];
        Assert.InRange(times.Max(from => times.Count(time => time >= from && TimeProvider.System.GetElapsedTime(from, time) < TimeSpan.FromSeconds(1))), 8, 15);
        Assert.Equal(30, (await place.ReconcileAsync(mailing)).Attempts);
    }

    // The clock stands still: what waits for it does so until the test goes on.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_whose_place_grew_old_waits_for_a_new_one_and_is_given_back_when_the_run_stops_meanwhile(bool stops)
    {
        var greeting = new TaskCompletionSource();
        await using var place = OpenHeld(greeting);
        var (mailing, rates) = (await place.PublishAsync(1), new RelayRates(2, 0, 0));
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = place.Start(relay => relay with { Connections = 1, MessagesPerSecond = 2 }).RunUntilAsync(mailing, giveUp.Token);
        await place.Server.WaitForAsync(relay => relay.Connections > 0, Limit, "a connection");
        ((ManualClock)place.Time).Advance(TimeSpan.FromSeconds(1));
        // Another process takes the next place.
        Assert.Equal(1, (await place.Database.Relays.DrawAsync("test", rates, 1, Cancel)).Count);
        greeting.SetResult();

        await HoldsAsync(async () => await place.BalanceAsync(mailing) is { Sending: 1, Attempts: 0 });
        Assert.Equal(0, place.Server.AcceptedCount);
        if (stops)
        {
            await giveUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Limit, TimeProvider.System, Cancel));
            Assert.True(await place.BalanceAsync(mailing) is { Pending: 1, Attempts: 0 });
        }
        else
        {
            ((ManualClock)place.Time).Advance(TimeSpan.FromSeconds(0.6));
            await EndsAsync(place, running);
            Assert.True(await place.ReconcileAsync(mailing) is { Sent: 1, Attempts: 1 });
        }
    }

    [Fact]
    public async Task A_message_whose_place_grew_old_is_given_back_when_the_next_one_is_far()
    {
        var greeting = new TaskCompletionSource();
        await using var place = OpenHeld(greeting);
        var (mailing, rates) = (await place.PublishAsync(1), new RelayRates(0, 60, 0));
        var process = place.Start(relay => relay with { MessagesPerMinute = 60 });
        var running = process.RunAsync(mailing);
        await place.Server.WaitForAsync(relay => relay.Connections > 0, Limit, "a connection");
        ((ManualClock)place.Time).Advance(TimeSpan.FromSeconds(1.5));
        Assert.Equal(2, (await place.Database.Relays.DrawAsync("test", rates, 2, Cancel)).Count);
        greeting.SetResult();

        await HoldsAsync(async () => process.Sessions.Capacity == 0 && await place.BalanceAsync(mailing) is { Pending: 1, Attempts: 0 });
        Assert.Equal(0, place.Server.AcceptedCount);
        await EndsAsync(place, running);
        Assert.True(await place.ReconcileAsync(mailing) is { Sent: 1, Attempts: 1 });
    }

    [Fact]
    public async Task A_slow_relay_that_takes_long_to_open_gets_its_place_when_it_is_open()
    {
        var greeting = new TaskCompletionSource();
        await using var place = OpenHeld(greeting);
        var mailing = await place.PublishAsync(1);
        var running = place.Start(relay => relay with { MessagesPerHour = 60 }).RunAsync(mailing);
        await place.Server.WaitForAsync(relay => relay.Connections > 0, Limit, "a connection");
        ((ManualClock)place.Time).Advance(TimeSpan.FromSeconds(4));
        greeting.SetResult();

        // It stays open for half a minute, and the next place would be a minute away.
        await place.Server.WaitForAcceptedAsync(1, Limit);
        await EndsAsync(place, running);
        Assert.Equal(1, (await place.ReconcileAsync(mailing)).Attempts);
    }

    [Fact]
    public async Task A_disk_that_is_slower_than_a_place_stays_good_lets_each_message_go_in_the_second_try()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(4);
        await place.StartOnSlowDisk(TimeSpan.FromMilliseconds(300), EnginePlace.Relay("test", place.Server) with { Connections = 1, MessagesPerSecond = 10 }).RunAsync(mailing);

        Assert.True(await place.ReconcileAsync(mailing) is { Sent: 4, Attempts: 4 });
        Assert.InRange(place.Server.Commands.Count(command => command.Line == "RSET"), 0, 4);
    }

    private static Task EndsAsync(EnginePlace place, Task running) => HoldsAsync(() =>
    {
        ((ManualClock)place.Time).Advance(TimeSpan.FromSeconds(0.5));
        return Task.FromResult(running.IsCompleted);
    });

    private static EnginePlace OpenHeld(TaskCompletionSource greeting)
        => EnginePlace.Open(
            moment => moment.Stage == SmtpStage.Connect ? SmtpMove.Hold(greeting.Task, SmtpMove.Accept) : SmtpMove.Accept,
            time: new ManualClock(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero)));

    private static async Task HoldsAsync(Func<Task<bool>> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, "not in time");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancel);
        }
    }
}
