using System.Text;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Some addresses do not exist, and some domains do not want us.</summary>
public sealed class RefusalTests
{
    private const int Each = 50;
    private const int Connections = 4;

    [Fact]
    public async Task Who_does_not_exist_is_suppressed_and_not_mailed_with_the_next_issue()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.RcptTo && IsGone(moment.Recipient) ? SmtpMove.Reply("550 5.1.1 No such user") : SmtpMove.Accept);
        using var workspace = Workspace(relay.Port);
        Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var first = await Accounts.ReadAsync(workspace, "week-1");
        first.AgreeWith(relay);
        Assert.Equal(("sent", 2 * Each - 10, 10), (first.State, first["sent"], first["failed"]));
        Assert.All(first.Rows.Where(row => row.State == "failed"), row => Assert.True(IsGone(row.Address), row.ToString()));

        // A changed list file does not bring them back.
        workspace.Write("subscribers/all.csv", List() + "new@kind.example,New\n");
        Assert.Equal(0, (await workspace.RunAsync("send", "second")).ExitCode);
        var second = await Accounts.ReadAsync(workspace, "second");
        Assert.Equal((2 * Each - 10 + 1, 2 * Each - 10 + 1), (second.Total, second["sent"]));
        Assert.DoesNotContain(second.Rows, row => IsGone(row.Address));
        Assert.All(relay.Commands.Where(command => command.Line.StartsWith("RCPT", StringComparison.Ordinal) && IsGone(command.Line)).GroupBy(command => command.Line), group => Assert.Single(group));
        var shown = await workspace.RunAsync("subscribers", "show", first.Rows.First(row => row.State == "failed").Address);
        Assert.Contains("550 5.1.1 No such user", shown.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_domain_that_does_not_want_us_is_left_alone_after_twenty_refusals_and_the_others_finish()
    {
        var isWelcome = false;
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.RcptTo && IsStrict(moment.Recipient) && !Volatile.Read(ref isWelcome)
            ? SmtpMove.Reply("550 5.7.1 Blocked for policy reasons")
            : SmtpMove.Accept);
        using var workspace = Workspace(relay.Port);
        var send = await workspace.RunAsync("send", "week-1");
        Assert.Equal(1, send.ExitCode);
        Assert.Contains("strict.example refused 2", send.Error, StringComparison.Ordinal);
        Assert.Contains("Blocked for policy reasons", send.Error, StringComparison.Ordinal);

        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(("paused", Each), (accounts.State, accounts["sent"]));
        // Those that are on the wire when the twentieth refusal comes are answered as well.
        Assert.InRange(accounts["failed"], 20, 20 + Connections - 1);
        Assert.Equal(Each - accounts["failed"], accounts["pending"]);
        Assert.All(accounts.Rows.Where(row => row.State == "pending"), row => Assert.True(IsStrict(row.Address) && row.Attempts == 0, row.ToString()));
        Assert.Equal(accounts["failed"], relay.Commands.Count(command => command.Line.StartsWith("RCPT", StringComparison.Ordinal) && IsStrict(command.Line)));

        var alarm = Assert.Single((await workspace.JsonAsync("status", "week-1", "--json")).GetProperty("alarms").EnumerateArray().ToList());
        Assert.Equal(("strict.example", accounts["failed"], accounts["pending"]), (alarm.GetProperty("domain").GetString(), alarm.GetProperty("refusals").GetInt32(), alarm.GetProperty("waiting").GetInt32()));
        Assert.Contains("alarm: strict.example refused", (await workspace.RunAsync("status", "week-1")).Out, StringComparison.Ordinal);

        Volatile.Write(ref isWelcome, true);
        Assert.Equal(0, (await workspace.RunAsync("resume", "week-1")).ExitCode);
        Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var after = await Accounts.ReadAsync(workspace, "week-1");
        after.AgreeWith(relay);
        Assert.Equal(("sent", 2 * Each - accounts["failed"], accounts["failed"]), (after.State, after["sent"], after["failed"]));
        // Nobody was suppressed: the next issue goes to all.
        Assert.Equal(0, (await workspace.RunAsync("send", "second")).ExitCode);
        Assert.Equal(2 * Each, (await Accounts.ReadAsync(workspace, "second"))["sent"]);
    }

    [Fact]
    public async Task A_domain_that_asks_for_less_gets_less_and_everybody_there_is_served_in_the_end()
    {
        var busyUntil = long.MaxValue;
        var askedFor = 0;
        await using var relay = ScriptedSmtpServer.Start(moment =>
        {
            if (moment.Stage != SmtpStage.RcptTo || !IsStrict(moment.Recipient)) return SmtpMove.Accept;
            Interlocked.Increment(ref askedFor);
            return TimeProvider.System.GetTimestamp() < Volatile.Read(ref busyUntil) ? SmtpMove.Reply("451 4.7.1 Too much from you, slow down") : SmtpMove.Accept;
        });
        using var workspace = Workspace(relay.Port).Set("Delivery:FirstRetryAfter", "00:00:01").Set("Delivery:RetryFactor", 1);
        // Without --wait nobody sits there for a domain that does not want anything now.
        Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var first = await Accounts.ReadAsync(workspace, "week-1");
        first.AgreeWith(relay);
        Assert.Equal(("sending", Each, Each), (first.State, first["sent"], first["pending"] + first["deferred"]));
        using var send = workspace.Start("send", "week-1", "--wait");
        await Eventually.HoldsAsync(() => send.Out.Contains("strict.example (next try", StringComparison.Ordinal), "the notice of the domain", TimeSpan.FromMinutes(1));
        // At full speed the domain would have been asked hundreds of times a second.
        Assert.InRange(Volatile.Read(ref askedFor), 2, Each);

        Volatile.Write(ref busyUntil, 0);
        Assert.Equal(0, (await send.EndAsync(TimeSpan.FromMinutes(3))).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(2 * Each, accounts["sent"]);
    }

    private static Workspace Workspace(int port)
    {
        var workspace = new Workspace().WithWeek1().UseRelay(port, Connections);
        workspace.Write("subscribers/all.csv", List());
        workspace.Write("issues/second.md", "---\ntitle: second issue\n---\nHello again.\n");
        return workspace;
    }

    private static string List()
    {
        var csv = new StringBuilder("email,name\n");
        for (var i = 1; i <= Each; i++) csv.Append(null, $"r{i}@strict.example,Reader {i}\nr{i}@kind.example,Reader {i}\n");
        return csv.ToString();
    }

    private static bool IsStrict(string text) => text.Contains("@strict.example", StringComparison.Ordinal);

    /// <summary>Every tenth of each domain.</summary>
    private static bool IsGone(string text) => text.Contains("0@", StringComparison.Ordinal);
}
