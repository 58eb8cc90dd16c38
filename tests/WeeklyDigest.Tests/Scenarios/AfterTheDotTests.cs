using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The end of a message is out and no answer comes: whether the relay has it, nobody here can know.</summary>
public sealed class AfterTheDotTests
{
    private static readonly int Subscribers = Scale.Of(200, 2000);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Held_each_is_uncertain_and_sent_to_none_again_until_the_editor_decides()
    {
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { KeepDigests = true, Script = Loses });
        using var workspace = Workspace(relay.Port);
        for (var i = 0; i < 2; i++) Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);

        var held = await Accounts.ReadAsync(workspace, "week-1");
        held.AgreeWith(relay);
        Assert.Empty(held.SentAgain);
        Assert.Equal(Enumerable.Range(1, Subscribers).Where(IsLost), held.Rows.Where(row => row.State == "uncertain").Select(row => Number(row.Address)));
        Assert.All(held.Rows, row => Assert.Equal(1, row.Attempts));
        Assert.Equal("sent", held.State);
        var listed = (await workspace.RunHereAsync("deliveries", "week-1", "--state", "uncertain", "--csv")).Out;
        Assert.Equal(Enumerable.Range(1, Subscribers).Count(IsLost) + 1, listed.TrimEnd().Split('\n').Length);

        Assert.Equal(0, (await workspace.RunHereAsync("resolve", "week-1", "--uncertain", "resend")).ExitCode);
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var resolved = await Accounts.ReadAsync(workspace, "week-1");
        resolved.AgreeWith(relay);
        Assert.Equal((Subscribers, Enumerable.Range(1, Subscribers).Count(IsLost)), (resolved["sent"], resolved.SentAgain.Count));
        AssertCopies(relay);
    }

    [Fact]
    public async Task Where_the_settings_say_resend_each_is_sent_again_exactly_once_with_the_same_bytes()
    {
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { KeepDigests = true, Script = Loses });
        using var workspace = Workspace(relay.Port).Set("Delivery:OnUncertain", "resend");
        var sent = await workspace.RunAsync("send", "week-1");
        Assert.True(sent.ExitCode == 0, sent.ToString());

        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal((Subscribers, Enumerable.Range(1, Subscribers).Count(IsLost)), (accounts["sent"], accounts.SentAgain.Count));
        AssertCopies(relay);
    }

    [Fact]
    public async Task A_relay_that_loses_every_answer_gets_two_copies_at_most_and_the_mailing_pauses()
    {
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { KeepDigests = true, Script = moment => moment.Stage == SmtpStage.Message ? SmtpMove.KeepThenDrop : SmtpMove.Accept });
        using var workspace = Workspace(relay.Port).Set("Delivery:OnUncertain", "resend").Set("Delivery:PauseAfterConsecutiveFailures", 10);
        Assert.Equal(1, (await workspace.RunAsync("send", "week-1")).ExitCode);

        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(("paused", 0), (accounts.State, accounts["sent"]));
        Assert.InRange(relay.AcceptedCount, 10, 14);
        Assert.All(relay.Accepted.GroupBy(message => message.Recipient), copies => Assert.InRange(copies.Count(), 1, 2));
    }

    // The answer is awaited for ten minutes, as RFC 5321 asks; so this one waits for them in the full run, and in the ordinary one ends the program meanwhile.
    [Fact]
    public async Task An_answer_that_never_comes_is_uncertain_too()
    {
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            KeepDigests = true,
            Script = moment => moment is { Stage: SmtpStage.Message, Time: 1 } && Number(moment.Recipient) is 3 or 4 ? Number(moment.Recipient) == 3 ? SmtpMove.KeepThenStall : SmtpMove.Stall : SmtpMove.Accept,
        });
        using var workspace = new Workspace().WithWeek1().WithSubscribers(20).UseRelay(relay.Port);
        using var send = workspace.Start("send", "week-1");
        await Eventually.HoldsAsync(() => relay.AcceptedCount == 19 && LedgerFile.Count(workspace, "sent") == 18, "the others have it", Limit);
        if (!Scale.IsFull) send.Terminate();
        Assert.Equal(Scale.Of(1, 3), (await send.EndAsync(Scale.Of(Limit, TimeSpan.FromMinutes(12)))).ExitCode);

        Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal([3, 4], accounts.Rows.Where(row => row.State == "uncertain").Select(row => Number(row.Address)));
        Assert.Equal(19, relay.AcceptedCount);
    }

    // Whose message was kept got two, the others one: both times the same bytes, which the accounts have compared.
    private static void AssertCopies(ScriptedSmtpServer relay)
    {
        var copies = relay.Accepted.GroupBy(message => Number(message.Recipient)).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal(Subscribers, copies.Count);
        Assert.All(copies, pair => Assert.Equal(IsLost(pair.Key) && pair.Key % 20 == 0 ? 2 : 1, pair.Value));
    }

    private static bool IsLost(int number) => number % 10 == 0;

    private static SmtpMove Loses(SmtpMoment moment) => moment is { Stage: SmtpStage.Message, Time: 1 } && IsLost(Number(moment.Recipient))
        ? Number(moment.Recipient) % 20 == 0 ? SmtpMove.KeepThenDrop : SmtpMove.Drop
        : SmtpMove.Accept;

    private static Workspace Workspace(int port) => new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(port);

    private static int Number(string address)
        => address.StartsWith("subscriber", StringComparison.Ordinal) ? int.Parse(address.AsSpan(10, 6), System.Globalization.CultureInfo.InvariantCulture) : 0;
}
