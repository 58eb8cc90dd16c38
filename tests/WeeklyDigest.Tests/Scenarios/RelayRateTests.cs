using System.Collections.Concurrent;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>A provider's quota is not sent twice, whoever sends and however often it is started.</summary>
public sealed class RelayRateTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_limit_per_minute_holds_over_kills_and_is_shared_by_two_processes()
    {
        const int Subscribers = 220;
        const int AtOnce = 20;
        const double Interval = 60_000.0 / (1200 - AtOnce + 1);
        var accepted = new ConcurrentQueue<long>();
        await using var relay = ScriptedSmtpServer.Start(moment =>
        {
            if (moment.Stage == SmtpStage.Message) accepted.Enqueue(TimeProvider.System.GetTimestamp());
            return SmtpMove.Accept;
        });
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port).Set("Smtp:Relays:0:MessagesPerMinute", 1200);
        using (var killed = workspace.Start("send", "week-1"))
        {
            await relay.WaitForAcceptedAsync(25, Limit);
            killed.Kill();
        }
        await relay.WaitForAsync(r => r.OpenConnections == 0, Limit, "no connection outlives the process");
        var (before, since) = (relay.AcceptedCount, TimeProvider.System.GetTimestamp());
        using var one = workspace.Start("send", "week-1");
        using var two = workspace.Start("send", "week-1");
        await one.EndAsync(Limit);
        await two.EndAsync(Limit);

        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
        // Every place they used was drawn after the kill, so this holds on any machine; each on its own would need half the time.
        var took = TimeProvider.System.GetElapsedTime(since, accepted.Last()).TotalMilliseconds;
        Assert.True(took >= (relay.AcceptedCount - before - AtOnce) * Interval, $"{relay.AcceptedCount - before} messages in {took} ms");
    }

    [Fact]
    public async Task A_quota_per_hour_that_is_used_up_stays_used_up_after_a_kill()
    {
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(5).UseRelay(relay.Port).Set("Smtp:Relays:0:MessagesPerHour", 6);
        for (var start = 0; start < 2; start++)
        {
            using var send = workspace.Start("send", "week-1");
            await send.PrintedAsync("Relay 'test' is at its limit of 6 messages an hour", Limit);
            await relay.WaitForAcceptedAsync(1, Limit);
            send.Kill();
        }
        Assert.Equal(1, relay.AcceptedCount);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(0, accounts["sending"]);
    }
}
