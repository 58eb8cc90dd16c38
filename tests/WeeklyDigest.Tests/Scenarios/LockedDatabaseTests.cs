using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Another program holds the database: nothing is handed over that the ledger does not know of, and it goes on when the lock is gone.</summary>
public sealed class LockedDatabaseTests
{
    private const int Subscribers = 1500;
    private const int Connections = 4;
    private static readonly TimeSpan Locked = Scale.Of(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(30));
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Sending_stops_within_a_second_and_goes_on_by_itself_when_the_lock_is_gone()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message
            ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept)
            : SmtpMove.Accept);
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections);
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(100, Limit);

        DateTimeOffset locked, released;
        int accepted;
        using (LedgerFile.Lock(workspace))
        {
            (locked, accepted) = (TimeProvider.System.GetUtcNow(), relay.AcceptedCount);
            await Task.Delay(Locked, TimeProvider.System, TestContext.Current.CancellationToken);
            await Eventually.HoldsAsync(() => send.Out.Contains("The ledger cannot be used", StringComparison.Ordinal), "it says why nothing is sent", Limit);
            released = TimeProvider.System.GetUtcNow();
            Assert.InRange(relay.AcceptedCount - accepted, 0, Connections);
        }

        var ended = await send.EndAsync(Limit);
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.DoesNotContain(relay.Accepted, message => message.At > locked + TimeSpan.FromSeconds(1) && message.At < released);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal((Subscribers, Subscribers), (accounts["sent"], relay.AcceptedCount));
        Assert.All(accounts.Rows, row => Assert.Equal(1, row.Attempts));
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("send", "week-1")]
    public async Task Who_is_told_to_end_while_it_waits_to_begin_ends_in_time(params string[] command)
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(3).UseRelay(LoopbackPort.Free(), Connections).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        Assert.Equal(0, (await workspace.RunAsync("status")).ExitCode);
        using (LedgerFile.Lock(workspace))
        {
            using var waiting = workspace.Start(command);
            await Eventually.HoldsAsync(() => waiting.Error.Contains("Another program keeps the database busy.", StringComparison.Ordinal), "it says why nothing happens", Limit);
            waiting.Terminate();
            await waiting.EndAsync(TimeSpan.FromSeconds(10));
        }
    }

    [Theory]
    [InlineData("send", "week-1")]
    [InlineData("subscribers", "add", "someone@example.org", "--list", "all")]
    public async Task A_command_that_waits_for_its_first_change_says_why_and_goes_on_when_the_lock_is_gone(params string[] command)
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(3);
        Assert.Equal(0, (await workspace.RunAsync("status")).ExitCode);
        RunningProgram waiting;
        using (LedgerFile.Lock(workspace))
        {
            waiting = workspace.Start(command);
            await Eventually.HoldsAsync(() => waiting.Error.Contains("Another program keeps the database busy.", StringComparison.Ordinal), "it says why nothing happens", Limit);
        }
        using (waiting) Assert.Equal(0, (await waiting.EndAsync(Limit)).ExitCode);
    }

    [Fact]
    public async Task A_send_that_cannot_even_begin_says_why_and_goes_on_when_the_lock_is_gone()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("451 4.3.0 Later") : SmtpMove.Accept);
        using var workspace = new Workspace().WithWeek1().WithSubscribers(3).UseRelay(relay.Port, Connections);
        Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);
        RunningProgram send;
        using (LedgerFile.Lock(workspace))
        {
            send = workspace.Start("send", "week-1");
            await send.PrintedAsync("The ledger cannot be used", Limit);
        }

        using (send) Assert.Equal(3, (await send.EndAsync(Limit)).ExitCode);
        Assert.Equal(3, (await Accounts.ReadAsync(workspace, "week-1"))["deferred"]);
    }

    [Fact]
    public async Task A_send_that_cannot_give_back_what_a_killed_one_held_says_why_and_goes_on_when_the_lock_is_gone()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message
            ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System), SmtpMove.Accept)
            : SmtpMove.Accept);
        using var workspace = new Workspace().WithWeek1().WithSubscribers(300).UseRelay(relay.Port, Connections);
        using (var killed = workspace.Start("send", "week-1"))
        {
            await relay.WaitForAcceptedAsync(20, Limit);
            killed.Kill();
            await killed.EndAsync(Limit);
        }
        RunningProgram send;
        using (LedgerFile.Lock(workspace))
        {
            send = workspace.Start("send", "week-1");
            await send.PrintedAsync("The ledger cannot be used", TimeSpan.FromSeconds(30));
        }

        using (send) Assert.InRange((await send.EndAsync(Limit)).ExitCode, 0, 3);
        Assert.Equal(0, LedgerFile.Count(workspace, "pending", "claimed", "sending", "deferred"));
    }
}
