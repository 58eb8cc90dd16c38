using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>
/// A process that is stopped, as by Ctrl-Z, and not dead: it keeps what it has in hand for as long as it lives, since it may go on at any moment; who waits
/// for it says so, and what can be done.
/// </summary>
public sealed class StoppedProcessTests
{
    private const int Subscribers = 200;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_waits_for_it_names_it_and_goes_on_when_it_does_or_is_ended(bool isEnded)
    {
        var answers = new TaskCompletionSource();
        var messages = 0;
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message && Interlocked.Increment(ref messages) is 21 or 22
            ? SmtpMove.Hold(answers.Task, SmtpMove.Accept)
            : SmtpMove.Accept);
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, 2).Set("Delivery:Lease", "00:00:10");
        using var stopped = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(20, Limit);
        // Not in the middle of a change, where it would hold the database as well.
        await Eventually.HoldsAsync(() => LedgerFile.Count(workspace, "sending") == 2 && LedgerFile.Count(workspace, "sent") == 20, "it waits for two answers", Limit);
        stopped.Pause();
        using var waiting = workspace.Start("send", "week-1");
        await waiting.PrintedAsync($"Process {stopped.Id} ", Limit);
        Assert.Matches(@" on this machine is stopped, as by Ctrl-Z, with \d+ deliver(y|ies) in hand", waiting.Out);
        Assert.Contains($"`kill -9 {stopped.Id}`", waiting.Out, StringComparison.Ordinal);
        Assert.Contains($"Process {stopped.Id} ", waiting.Error, StringComparison.Ordinal);
        var status = await workspace.RunHereAsync("status", "week-1");
        Assert.Contains($"alarm: process {stopped.Id} ", status.Out, StringComparison.Ordinal);

        answers.SetResult();
        if (isEnded) stopped.Kill();
        else stopped.Continue();
        await stopped.EndAsync(Limit);
        var ended = await waiting.EndAsync(Limit);
        Assert.True(ended.ExitCode is 0 or 3, ended.ToString());
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.InRange(accounts["uncertain"], 0, isEnded ? 2 : 0);
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
        Assert.DoesNotContain("is stopped", (await workspace.RunHereAsync("status", "week-1")).Out, StringComparison.Ordinal);
    }
}
