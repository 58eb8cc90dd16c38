using WeeklyDigest.Publishing;
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
