using WeeklyDigest.Tests.Relays;
using WeeklyDigest.Tests.Scenarios;

namespace WeeklyDigest.Tests.Commands;

public sealed class DecisionCommandsTests : IAsyncDisposable
{
    private readonly Workspace workspace = new();
    private readonly ScriptedSmtpServer relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { KeepBytes = true });

    public DecisionCommandsTests()
    {
        workspace.UseRelay(relay.Port, connections: 1).WithSubscribers(5);
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello {{ name | there }}.\n");
    }

    public async ValueTask DisposeAsync()
    {
        workspace.Dispose();
        await relay.DisposeAsync();
    }

    [Fact]
    public async Task Uncertain_ones_are_sent_again_with_the_same_bytes_when_the_editor_says_so()
    {
        relay.Script = moment => moment is { Stage: SmtpStage.Message, Time: 1 } && Number(moment) <= 2 ? SmtpMove.KeepThenDrop : SmtpMove.Accept;
        Assert.Equal(3, (await workspace.RunHereAsync("send", "a")).ExitCode);

        var resolved = await workspace.RunHereAsync("resolve", "a", "--uncertain", "resend");
        Assert.Equal((0, ""), (resolved.ExitCode, resolved.Error));
        var lines = resolved.Out.TrimEnd().ReplaceLineEndings("\n").Split('\n');
        Assert.Equal(["a: 2 uncertain deliveries are pending again.", "a: sending"], lines[..2]);
        Assert.Equal(
            ["5 = 2 pending + 0 claimed + 0 sending + 0 deferred + 3 sent + 0 failed + 0 suppressed + 0 uncertain",
                "It goes on by itself while `weeklydigest serve` runs, or with `weeklydigest send a`."],
            lines[^2..]);
        Assert.Equal("", (await workspace.RunHereAsync("deliveries", "a", "--sent-again")).Out);
        Assert.Equal(0, (await workspace.RunHereAsync("send", "a")).ExitCode);

        Assert.Equal((7, 5), (relay.AcceptedCount, relay.Accepted.Select(message => Convert.ToHexString(message.Bytes.Span)).Distinct().Count()));
        var twice = (await workspace.RunHereAsync("deliveries", "a", "--sent-again")).Out.TrimEnd().Split('\n');
        Assert.Equal(["subscriber000001@example.com", "subscriber000002@example.com"], twice.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2]));
    }

    [Fact]
    public async Task What_is_decided_of_a_cancelled_mailing_is_not_said_to_go_on()
    {
        relay.Script = moment => moment switch
        {
            { Stage: SmtpStage.Message } => SmtpMove.KeepThenDrop,
            { Stage: SmtpStage.MailFrom, Time: > 1 } => SmtpMove.Reply("550 5.7.1 not you"),
            _ => SmtpMove.Accept,
        };
        await workspace.RunHereAsync("send", "a");
        Assert.Equal(0, (await workspace.RunHereAsync("cancel", "a")).ExitCode);
        var resolved = await workspace.RunHereAsync("resolve", "a", "--uncertain", "sent");
        Assert.DoesNotContain("goes on", resolved.Out, StringComparison.Ordinal);
        Assert.Contains("It is cancelled; what is pending stays unsent.", resolved.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Uncertain_ones_are_counted_as_sent_when_the_editor_says_so()
    {
        relay.Script = moment => moment.Stage == SmtpStage.Message && Number(moment) == 1 ? SmtpMove.KeepThenDrop : SmtpMove.Accept;
        await workspace.RunHereAsync("send", "a");
        Assert.EndsWith(
            "1 uncertain: `weeklydigest resolve a --uncertain sent` counts them as sent, with `resend` they are sent again; `weeklydigest deliveries a --state uncertain` lists them.",
            (await workspace.RunHereAsync("status", "a")).Out.TrimEnd(), StringComparison.Ordinal);

        var resolved = await workspace.RunHereAsync("resolve", "a", "--uncertain", "sent");
        Assert.Equal((0, ""), (resolved.ExitCode, resolved.Error));
        Assert.StartsWith("a: 1 uncertain delivery is counted as sent.", resolved.Out, StringComparison.Ordinal);
        Assert.Equal(0, (await workspace.RunHereAsync("send", "a")).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "a");
        accounts.AgreeWith(relay);
        Assert.Equal(("sent", 5), (accounts.State, accounts["sent"]));
    }

    [Fact]
    public async Task Failed_ones_are_tried_again_but_not_who_has_left()
    {
        relay.Script = moment => moment is { Stage: SmtpStage.RcptTo, Time: 1 } && Number(moment) <= 3 ? SmtpMove.Reply("554 5.7.1 not today") : SmtpMove.Accept;
        Assert.Equal(3, (await workspace.RunHereAsync("send", "a")).ExitCode);
        await workspace.RunHereAsync("subscribers", "unsubscribe", "subscriber000002@example.com");

        var retried = await workspace.RunHereAsync("retry", "a", "--failed");
        Assert.Equal((3, ""), (retried.ExitCode, retried.Error));
        Assert.StartsWith("a: 2 failed deliveries are pending again; 1 failed delivery stays as before, since the subscriber has left or bounced.", retried.Out, StringComparison.Ordinal);
        Assert.Equal(3, (await workspace.RunHereAsync("send", "a")).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "a");
        accounts.AgreeWith(relay);
        Assert.Equal((4, 1), (accounts["sent"], accounts["failed"]));
    }

    [Fact]
    public async Task Who_bounced_is_said_to_come_back_when_added_again()
    {
        relay.Script = moment => moment is { Stage: SmtpStage.RcptTo, Time: 1 } && Number(moment) == 1 ? SmtpMove.Reply("550 5.1.1 no such user") : SmtpMove.Accept;
        Assert.Equal(3, (await workspace.RunHereAsync("send", "a")).ExitCode);
        Assert.StartsWith(
            "a: 0 failed deliveries are pending again; 1 failed delivery stays as before, since the subscriber has left or bounced. "
                + "1 of them bounced: `weeklydigest subscribers add ADDRESS --list NAME` brings an address back; do this again then.",
            (await workspace.RunHereAsync("retry", "a", "--failed")).Out, StringComparison.Ordinal);
        await workspace.RunHereAsync("subscribers", "add", "subscriber000001@example.com");
        Assert.StartsWith("a: 1 failed delivery is pending again.", (await workspace.RunHereAsync("retry", "a", "--failed")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_say_why()
    {
        Assert.Equal((1, "a has not been published; `weeklydigest send` does that."), await RefusalAsync("retry", "a", "--failed"));
        relay.Script = moment => moment.Stage == SmtpStage.RcptTo && Number(moment) == 1 ? SmtpMove.Reply("554 5.7.1 no") : SmtpMove.Accept;
        await workspace.RunHereAsync("send", "a");
        Assert.Equal((1, "a has no uncertain delivery; there is nothing to decide."), await RefusalAsync("resolve", "a", "--uncertain", "sent"));
        Assert.Equal((1, "There is no issue 'b'"), await RefusalAsync("resolve", "b", "--uncertain", "sent") is var (code, error) ? (code, error[..21]) : default);
        Assert.Equal(2, (await workspace.RunHereAsync("retry", "a")).ExitCode);
        Assert.Equal(2, (await workspace.RunHereAsync("resolve", "a")).ExitCode);
        Assert.Equal(2, (await workspace.RunHereAsync("resolve", "a", "--uncertain", "perhaps")).ExitCode);
    }

    [Fact]
    public async Task After_a_relay_that_refuses_everybody_the_first_advice_is_to_retry_although_others_are_pending()
    {
        workspace.Set("Delivery:PauseAfterConsecutiveFailures", 3);
        relay.Script = moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("550 5.1.1 no such user") : SmtpMove.Accept;
        var sent = await workspace.RunHereAsync("send", "a");
        Assert.Contains("2 pending + 0 claimed + 0 sending + 0 deferred + 0 sent + 3 failed", sent.Out, StringComparison.Ordinal);
        Assert.Contains("Run `weeklydigest retry a --failed`, then `weeklydigest resume a`, then send it again.", sent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_a_cancelled_mailing_nothing_is_sent_again()
    {
        workspace.Set("Delivery:PauseAfterConsecutiveFailures", 1);
        relay.Script = moment => moment.Stage == SmtpStage.RcptTo && Number(moment) == 1 ? SmtpMove.Reply("554 5.7.1 no") : SmtpMove.Accept;
        await workspace.RunHereAsync("send", "a");
        Assert.Equal(0, (await workspace.RunHereAsync("cancel", "a")).ExitCode);
        Assert.Equal((1, "a is cancelled; what was not sent stays unsent."), await RefusalAsync("retry", "a", "--failed"));
    }

    private static int Number(SmtpMoment moment)
        => moment.Recipient.StartsWith("subscriber", StringComparison.Ordinal) ? int.Parse(moment.Recipient.AsSpan(10, 6), System.Globalization.CultureInfo.InvariantCulture) : 0;

    private async Task<(int ExitCode, string Error)> RefusalAsync(params string[] line)
    {
        var result = await workspace.RunHereAsync(line);
        return (result.ExitCode, result.Error.TrimEnd());
    }
}
