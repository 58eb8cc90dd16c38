using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Somebody takes the ledger's files away while it is sent from: nothing is handed over that no file knows of.</summary>
public sealed class MovedLedgerTests
{
    private const int Subscribers = 1500;
    private const int Connections = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_send_whose_ledger_is_replaced_stops_and_says_why()
    {
        await using var relay = SlowRelay();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections);
        Assert.Equal(0, (await workspace.RunAsync("status")).ExitCode);
        File.Copy(workspace.DatabaseFile, workspace.PathOf("backup.db"));
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(100, Limit);

        File.Move(workspace.DatabaseFile, workspace.PathOf("away.db"));
        File.Move(workspace.PathOf("backup.db"), workspace.DatabaseFile);
        await StoppedAsync(relay, () => send.Out.Contains($"The ledger cannot be used: The database {workspace.DatabaseFile} was moved, deleted or replaced", StringComparison.Ordinal));
        send.Interrupt();
        Assert.Equal(1, (await send.EndAsync(TimeSpan.FromSeconds(15))).ExitCode);
    }

    [Fact]
    public async Task A_server_says_it_once_and_goes_on_when_the_ledger_is_put_back()
    {
        await using var relay = SlowRelay();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections)
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        using var serve = workspace.Start("serve");
        using (var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token=", Limit))) await editor.TriggerAsync("weekly-digest");
        await relay.WaitForAcceptedAsync(100, Limit);

        File.Move(workspace.DatabaseFile, workspace.PathOf("away.db"));
        await StoppedAsync(relay, () => serve.Error.Contains("was moved, deleted or replaced", StringComparison.Ordinal));
        await Task.Delay(TimeSpan.FromSeconds(8), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.InRange(serve.Error.Split("was moved, deleted or replaced").Length - 1, 1, 4);
        var beside = await workspace.RunAsync("status");
        Assert.Equal(1, beside.ExitCode);
        Assert.StartsWith($"The database {workspace.DatabaseFile} was moved or deleted: its log", beside.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(workspace.DatabaseFile));

        File.Move(workspace.PathOf("away.db"), workspace.DatabaseFile);
        await relay.WaitForAcceptedAsync(Subscribers, Limit);
        await Eventually.HoldsAsync(() => LedgerFile.Count(workspace, "sent") == Subscribers, "all are recorded", Limit);
        Assert.Equal(Subscribers, relay.AcceptedCount);
    }

    [Fact]
    public async Task So_does_one_that_has_nothing_to_send()
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(3).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        using var serve = workspace.Start("serve");
        await serve.PrintedAsync("Archive ", Limit);
        await Eventually.HoldsAsync(() => File.Exists(workspace.DatabaseFile + "-wal"), "it has looked at its ledger", Limit);
        await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, TestContext.Current.CancellationToken);
        File.Delete(workspace.DatabaseFile + "-wal");
        var words = $"The file {workspace.DatabaseFile}-wal, which belongs to the database, was moved, deleted or replaced";
        await Eventually.HoldsAsync(() => serve.Error.Contains(words, StringComparison.Ordinal), "it says so", Limit);
        await Task.Delay(TimeSpan.FromSeconds(7), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(2, serve.Error.Split(words).Length);
    }

    [Fact]
    public async Task Nobody_gets_it_twice_when_the_log_is_deleted_and_the_sender_killed()
    {
        await using var relay = SlowRelay();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections);
        using (var send = workspace.Start("send", "week-1"))
        {
            await relay.WaitForAcceptedAsync(100, Limit);
            File.Delete(workspace.DatabaseFile + "-wal");
            await StoppedAsync(relay, () => send.Out.Contains($"The ledger cannot be used: The file {workspace.DatabaseFile}-wal", StringComparison.Ordinal));
            send.Kill();
            await send.EndAsync(Limit);
        }

        await workspace.RunAsync("send", "week-1");
        Assert.All(relay.Accepted.GroupBy(message => message.Recipient), messages => Assert.Single(messages));
        (await Accounts.ReadAsync(workspace, "week-1")).AgreeWith(relay);
    }

    [Fact]
    public async Task Nobody_gets_it_twice_when_the_memory_is_deleted_and_another_send_begins()
    {
        await using var relay = SlowRelay();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections);
        using var first = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(100, Limit);
        File.Delete(workspace.DatabaseFile + "-shm");
        using var second = workspace.Start("send", "week-1");
        await Eventually.HoldsAsync(() => first.Out.Contains($"The ledger cannot be used: The file {workspace.DatabaseFile}-shm", StringComparison.Ordinal), "the first says why it stopped", Limit);
        first.Interrupt();
        await first.EndAsync(TimeSpan.FromSeconds(15));

        await second.EndAsync(Limit);
        await workspace.RunAsync("send", "week-1");
        Assert.All(relay.Accepted.GroupBy(message => message.Recipient), messages => Assert.Single(messages));
        (await Accounts.ReadAsync(workspace, "week-1")).AgreeWith(relay);
    }

    private static ScriptedSmtpServer SlowRelay() => ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message
        ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept)
        : SmtpMove.Accept);

    // What was marked before is on its way: one message of each connection.
    private static async Task StoppedAsync(ScriptedSmtpServer relay, Func<bool> said)
    {
        var (before, at) = (relay.AcceptedCount, TimeProvider.System.GetUtcNow());
        await Eventually.HoldsAsync(said, "it says why nothing is sent", Limit);
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.InRange(relay.AcceptedCount - before, 0, 3 * Connections);
        Assert.DoesNotContain(relay.Accepted, message => message.At > at + TimeSpan.FromSeconds(1));
    }
}
