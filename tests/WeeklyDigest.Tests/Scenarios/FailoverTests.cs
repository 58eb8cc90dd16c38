using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Of two relays one goes away, or never lets us in.</summary>
public sealed class FailoverTests
{
    private const int Subscribers = 300;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_relay_that_vanishes_in_the_middle_is_replaced_and_nobody_waits_for_it()
    {
        var first = ScriptedSmtpServer.Start();
        await using var second = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message && first.AcceptedCount < 40
            ? SmtpMove.Hold(first.WaitForAcceptedAsync(40, Limit), SmtpMove.Accept) : SmtpMove.Accept);
        using var workspace = Workspace(first, second).Set("Delivery:FirstRetryAfter", "00:00:01");
        using var send = workspace.Start("send", "week-1", "--wait");
        await first.WaitForAcceptedAsync(40, Limit);
        await first.DisposeAsync();

        var result = await send.EndAsync(Limit);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(first, second);
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
        Assert.InRange(accounts["uncertain"], 0, 2);
        Assert.Equal(accounts["uncertain"] == 0 ? 0 : 3, result.ExitCode);
        Assert.InRange(second.AcceptedCount, Subscribers / 2, Subscribers - 40);
    }

    [Fact]
    public async Task A_relay_that_refuses_the_login_is_set_aside_and_status_says_so_until_it_works()
    {
        await using var first = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Username = "news", Password = "right" });
        await using var second = ScriptedSmtpServer.Start();
        using var workspace = Workspace(first, second).Set("Smtp:Relays:0:Username", "news").Set("Smtp:Relays:0:Password", "wrong-password");
        var result = await workspace.RunAsync("send", "week-1");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(Subscribers, second.AcceptedCount);
        Assert.Contains("refused the login: 535", result.Error, StringComparison.Ordinal);

        var status = await workspace.RunAsync("status", "week-1");
        Assert.Contains("alarm: relay 'first' is set aside since ", status.Out, StringComparison.Ordinal);
        Assert.Contains("refused the login: 535", status.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-password", result + status.ToString(), StringComparison.Ordinal);
        var aside = (await workspace.JsonAsync("status", "week-1", "--json")).GetProperty("relaysAside")[0];
        Assert.Equal(("first", "aside"), (aside.GetProperty("relay").GetString(), aside.GetProperty("kind").GetString()));

        workspace.Set("Smtp:Relays:0:Password", "right");
        workspace.Write("issues/week-2.md", "---\ntitle: Week 2\n---\n### An entry\n\nWith a text.\n");
        Assert.Equal(0, (await workspace.RunAsync("send", "week-2")).ExitCode);
        Assert.NotEqual(0, first.AcceptedCount);
        Assert.Equal(0, (await workspace.JsonAsync("status", "week-2", "--json")).GetProperty("relaysAside").GetArrayLength());
    }

    private static Workspace Workspace(ScriptedSmtpServer first, ScriptedSmtpServer second)
    {
        var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers);
        foreach (var (index, name, server) in new[] { (0, "first", first), (1, "second", second) })
        {
            var relay = $"Smtp:Relays:{index}:";
            workspace.Set(relay + "Name", name).Set(relay + "Host", "127.0.0.1").Set(relay + "Port", server.Port).Set(relay + "Security", "none").Set(relay + "Connections", 2);
        }
        return workspace;
    }
}
