using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The relay says later, says no, says nothing, or is not there.</summary>
public sealed class RelayTroubleTests
{
    private const int Subscribers = 60;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Later_is_tried_again_and_no_is_final()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => (moment.Stage, Number(moment.Recipient) % 10, moment.Time) switch
        {
            (SmtpStage.RcptTo, 1, 1) => SmtpMove.Reply("450 4.2.0 Greylisted, come back"),
            (SmtpStage.Message, 2, <= 2) => SmtpMove.Reply("452 4.3.1 Out of space"),
            (SmtpStage.RcptTo, 3, _) => SmtpMove.Reply("550 5.1.1 No such user"),
            (SmtpStage.Message, 4, _) => SmtpMove.Reply("554 5.7.1 Looks like spam"),
            _ => SmtpMove.Accept,
        });
        using var workspace = Workspace(relay.Port).Set("Delivery:FirstRetryAfter", "00:00:01").Set("Delivery:RetryFactor", 1);

        var first = await workspace.RunAsync("send", "week-1");
        Assert.Equal(3, first.ExitCode);
        var between = await Accounts.ReadAsync(workspace, "week-1");
        between.AgreeWith(relay);
        Assert.Equal((12, 12), (between["deferred"], between["failed"]));

        Assert.Equal(3, (await workspace.RunAsync("send", "week-1", "--wait")).ExitCode);
        var after = await Accounts.ReadAsync(workspace, "week-1");
        after.AgreeWith(relay);
        Assert.Equal(("sent", 48, 12), (after.State, after["sent"], after["failed"]));
        var unlike = after.Rows.Where(row => (Number(row.Address) % 10) switch
        {
            1 => row is not { State: "sent", Attempts: 2 },
            2 => row is not { State: "sent", Attempts: 3 },
            3 => row is not { State: "failed", Attempts: 1 } || !row.Reply.Contains("No such user", StringComparison.Ordinal),
            4 => row is not { State: "failed", Attempts: 1 } || !row.Reply.Contains("Looks like spam", StringComparison.Ordinal),
            _ => row is not { State: "sent", Attempts: 1 },
        });
        Assert.Empty(unlike);
    }

    [Fact]
    public async Task An_answer_that_is_lost_after_the_dot_is_uncertain_and_never_sent_again_by_itself()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage != SmtpStage.Message ? SmtpMove.Accept : Number(moment.Recipient) switch
        {
            7 => SmtpMove.KeepThenDrop,
            8 => SmtpMove.Drop,
            _ => SmtpMove.Accept,
        });
        using var workspace = Workspace(relay.Port);
        Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);
        Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);

        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(["subscriber000007@example.com", "subscriber000008@example.com"], accounts.Rows.Where(row => row.State == "uncertain").Select(row => row.Address));
        Assert.Equal(Subscribers - 2, accounts["sent"]);
    }

    [Fact]
    public async Task A_relay_that_is_down_at_the_start_is_waited_for_and_uses_up_nobodys_attempts()
    {
        var port = LoopbackPort.Free();
        using var workspace = Workspace(port);
        using var send = workspace.Start("send", "week-1", "--wait");
        await Eventually.HoldsAsync(() => File.Exists(workspace.DatabaseFile), "the database", Limit);
        await PublishedAsync(workspace);
        // The send goes on meanwhile, so this is one command's snapshot, not the rows of another beside it.
        var before = await workspace.JsonAsync("status", "week-1", "--json");
        Assert.Equal(Subscribers, before.GetProperty("total").GetInt32());
        Assert.Equal(0, before.GetProperty("attempts").GetInt32());

        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Port = port });
        Assert.Equal(0, (await send.EndAsync(TimeSpan.FromMinutes(3))).ExitCode);
        var after = await Accounts.ReadAsync(workspace, "week-1");
        after.AgreeWith(relay);
        Assert.Equal(Subscribers, after["sent"]);
        Assert.All(after.Rows, row => Assert.Equal(1, row.Attempts));
    }

    [Fact]
    public async Task A_relay_that_goes_away_in_the_middle_is_waited_for()
    {
        var isDown = false;
        await using var relay = ScriptedSmtpServer.Start(moment => Volatile.Read(ref isDown) ? SmtpMove.ReplyThenClose("421 4.3.2 Going down") : SmtpMove.Accept);
        relay.Script = moment =>
        {
            if (moment is { Stage: SmtpStage.RcptTo } && Number(moment.Recipient) == 30 && moment.Time == 1) Volatile.Write(ref isDown, true);
            return Volatile.Read(ref isDown) ? SmtpMove.ReplyThenClose("421 4.3.2 Going down") : SmtpMove.Accept;
        };
        using var workspace = Workspace(relay.Port).Set("Delivery:FirstRetryAfter", "00:00:01");
        using var send = workspace.Start("send", "week-1", "--wait");
        await Eventually.HoldsAsync(() => Volatile.Read(ref isDown), "the relay goes down", Limit);
        await relay.WaitForAsync(r => r.OpenConnections == 0, Limit, "everybody was sent away");
        Volatile.Write(ref isDown, false);
        relay.Script = _ => SmtpMove.Accept;
        Assert.Equal(0, (await send.EndAsync(TimeSpan.FromMinutes(3))).ExitCode);
        var after = await Accounts.ReadAsync(workspace, "week-1");
        after.AgreeWith(relay);
        Assert.Equal(Subscribers, after["sent"]);
    }

    private static Workspace Workspace(int port) => new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(port, 2);

    private static int Number(string address)
        => address.StartsWith("subscriber", StringComparison.Ordinal) ? int.Parse(address.AsSpan(10, 6), System.Globalization.CultureInfo.InvariantCulture) : 0;

    private static async Task PublishedAsync(Workspace workspace)
    {
        var started = TimeProvider.System.GetTimestamp();
        while ((await workspace.RunAsync("status", "week-1", "--json")).ExitCode == 1)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, "week-1 was not published");
        }
    }
}
