using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The relay says later, says no, hangs up before the end of a message, or is not there: nobody is lost, nobody gets two.</summary>
public sealed class BeforeTheDotTests
{
    private static readonly int Subscribers = Scale.Of(300, 3000);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Later_at_every_step_and_connections_lost_before_the_dot_delay_a_message_and_nothing_else()
    {
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { KeepDigests = true, Script = Troubled });
        using var workspace = Workspace(relay.Port, Subscribers);

        var sent = await workspace.RunAsync("send", "week-1", "--wait");
        Assert.True(sent.ExitCode == 0, sent.ToString());
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Empty(accounts.SentAgain);
        Assert.Equal(("sent", Subscribers, Subscribers), (accounts.State, accounts["sent"], relay.AcceptedCount));
        Assert.True(accounts.Rows.Where(row => Number(row.Address) % 10 is >= 1 and <= 5).All(row => row.Attempts >= 2), "who was told later was tried again");
    }

    // The end of a message of this size is in the network's buffers before the relay hangs up: we cannot know that it was not read.
    [Fact]
    public async Task A_connection_lost_in_the_body_is_later_or_uncertain_and_in_either_case_nobody_gets_two()
    {
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            KeepDigests = true,
            Script = moment => moment is { Stage: SmtpStage.Data, Time: 1 } && Number(moment.Recipient) % 10 == 6 ? SmtpMove.CutBodyAfter(Number(moment.Recipient) % 1000 * 20) : SmtpMove.Accept,
        });
        using var workspace = Workspace(relay.Port, Subscribers);
        Assert.Equal(3, (await workspace.RunAsync("send", "week-1", "--wait")).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal((Subscribers, relay.AcceptedCount), (accounts["sent"] + accounts["uncertain"], accounts["sent"]));
        Assert.All(accounts.Rows.Where(row => row.State == "uncertain"), row => Assert.Equal(6, Number(row.Address) % 10));

        Assert.Equal(0, (await workspace.RunHereAsync("resolve", "week-1", "--uncertain", "resend")).ExitCode);
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        (await Accounts.ReadAsync(workspace, "week-1")).AgreeWith(relay);
        Assert.Equal((Subscribers, Subscribers), (relay.AcceptedCount, relay.Accepted.Select(message => message.Recipient).Distinct().Count()));
    }

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
        using var workspace = Workspace(relay.Port, 60);

        Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var between = await Accounts.ReadAsync(workspace, "week-1");
        between.AgreeWith(relay);
        // On a slow machine the first of the deferred come due while the others are still being sent.
        Assert.Equal((48, 12), (between["sent"] + between["deferred"], between["failed"]));
        Assert.InRange(between["sent"], 36, 48);

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
    public async Task A_relay_that_is_down_at_the_start_and_again_in_the_middle_is_waited_for_and_uses_up_nobodys_attempts()
    {
        var port = LoopbackPort.Free();
        using var workspace = Workspace(port, 60).Set("Delivery:FirstRetryAfter", "00:00:01");
        using var send = workspace.Start("send", "week-1", "--wait");
        await Eventually.HoldsAsync(() => IsPublished(workspace), "week-1 is published", Limit);
        Assert.Equal("0", LedgerFile.Text(workspace, "SELECT sum(attempts) FROM delivery"));

        // It takes half of them and goes: first in good order, then nobody listens any more.
        var isDown = false;
        await using var first = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Port = port });
        first.Script = moment =>
        {
            if (moment.Stage == SmtpStage.Message && first.AcceptedCount >= 30) Volatile.Write(ref isDown, true);
            return moment.Stage == SmtpStage.MailFrom && Volatile.Read(ref isDown) ? SmtpMove.ReplyThenClose("421 4.3.2 Going down") : SmtpMove.Accept;
        };
        await first.WaitForAsync(r => Volatile.Read(ref isDown) && r.OpenConnections == 0, TimeSpan.FromMinutes(2), "everybody was sent away");
        await first.DisposeAsync();
        await Task.Delay(Scale.Of(TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(3)), TimeProvider.System, TestContext.Current.CancellationToken);

        await using var second = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Port = port });
        Assert.Equal(0, (await send.EndAsync(TimeSpan.FromMinutes(3))).ExitCode);
        var after = await Accounts.ReadAsync(workspace, "week-1");
        after.AgreeWith(first, second);
        Assert.Equal(60, after["sent"]);
        Assert.All(after.Rows, row => Assert.Equal(1, row.Attempts));
    }

    // Each number's trouble once or twice; what closes a relay for a second befalls few.
    private static SmtpMove Troubled(SmtpMoment moment)
    {
        var number = Number(moment.Recipient);
        var isFirst = moment.Time <= 1 + number % 2;
        return (moment.Stage, number % 10) switch
        {
            (SmtpStage.MailFrom, _) when moment.Time % 17 == 0 => SmtpMove.Reply("451 4.3.0 Not now"),
            (SmtpStage.RcptTo, 1) when isFirst => SmtpMove.Reply("450 4.2.1 Mailbox is busy"),
            (SmtpStage.RcptTo, 2) when isFirst => SmtpMove.Reply("452 4.2.2 Mailbox is full"),
            (SmtpStage.Data, 3) when isFirst => SmtpMove.Reply("451 4.3.0 Queue is full"),
            (SmtpStage.Message, 4) when isFirst => SmtpMove.Reply("452 4.3.1 Disk is full"),
            (SmtpStage.Message, 5) when isFirst => SmtpMove.Reply("454 4.7.0 Try again"),
            (SmtpStage.RcptTo, 7) when isFirst && number % 50 == 7 => SmtpMove.Drop,
            (SmtpStage.Data, 8) when isFirst && number % 50 == 8 => SmtpMove.Drop,
            (SmtpStage.RcptTo, 9) when isFirst && number == 109 => SmtpMove.ReplyThenClose("421 4.3.2 Going down"),
            (SmtpStage.Data, 9) when isFirst && number == 159 => SmtpMove.ReplyThenClose("421 4.3.2 Going down"),
            (SmtpStage.Message, 9) when isFirst && number == 209 => SmtpMove.ReplyThenClose("421 4.3.2 Going down"),
            _ => SmtpMove.Accept,
        };
    }

    private static Workspace Workspace(int port, int subscribers) => new Workspace().WithWeek1().WithSubscribers(subscribers).UseRelay(port)
        .Set("Delivery:FirstRetryAfter", "00:00:01").Set("Delivery:RetryFactor", 1);

    private static int Number(string address)
        => address.StartsWith("subscriber", StringComparison.Ordinal) ? int.Parse(address.AsSpan(10, 6), System.Globalization.CultureInfo.InvariantCulture) : 0;

    private static bool IsPublished(Workspace workspace) => File.Exists(workspace.DatabaseFile)
        && LedgerFile.Text(workspace, "SELECT count(*) FROM sqlite_master WHERE name = 'delivery'") == "1"
        && LedgerFile.Count(workspace, "pending", "claimed") == 60;
}
