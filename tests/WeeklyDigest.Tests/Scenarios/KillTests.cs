using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The process dies at once, without a chance to write anything down.</summary>
public sealed class KillTests
{
    private const int Subscribers = 1500;
    private const int Connections = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Killed_again_and_again_nobody_is_lost_and_at_most_one_per_connection_is_uncertain(string provider)
    {
        await using var relay = ScriptedSmtpServer.Start(SlowAtTheDot);
        using var workspace = new Workspace().On(provider).WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections);
        var kills = 0;
        foreach (var accepted in new[] { 1, 300, 800 })
        {
            using var send = workspace.Start("send", "week-1");
            await relay.WaitForAcceptedAsync(accepted, Limit);
            send.Kill();
            kills++;
            await relay.WaitForAsync(r => r.OpenConnections == 0, Limit, "no connection outlives the process");
        }

        var last = await workspace.RunAsync("send", "week-1");
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.InRange(accounts["uncertain"], 0, kills * Connections);
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
        Assert.Equal(accounts["uncertain"] == 0 ? 0 : 3, last.ExitCode);
    }

    [Fact]
    public async Task Interrupted_it_finishes_what_is_on_the_wire_and_the_next_send_does_the_rest()
    {
        await using var relay = ScriptedSmtpServer.Start(SlowAtTheDot);
        using var workspace = new Workspace().WithWeek1().WithSubscribers(600).UseRelay(relay.Port, Connections);
        using (var send = workspace.Start("send", "week-1"))
        {
            await relay.WaitForAcceptedAsync(50, Limit);
            send.Interrupt();
            Assert.Equal(1, (await send.EndAsync(Limit)).ExitCode);
        }

        var between = await Accounts.ReadAsync(workspace, "week-1");
        between.AgreeWith(relay);
        Assert.Equal((0, 0, 0, relay.AcceptedCount), (between["uncertain"], between["claimed"], between["sending"], between["sent"]));
        Assert.InRange(between["pending"], 1, 550);

        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var after = await Accounts.ReadAsync(workspace, "week-1");
        after.AgreeWith(relay);
        Assert.Equal(("sent", 600), (after.State, after["sent"]));
    }

    // Long enough at the dot that a kill finds messages that were handed over and not answered.
    private static SmtpMove SlowAtTheDot(SmtpMoment moment)
        => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(3), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;
}
