using System.Diagnostics;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The process is asked to end, as service managers and Ctrl-C do.</summary>
public sealed class TerminationTests
{
    private static readonly int Times = Scale.Of(6, 50);
    private static readonly int Subscribers = Scale.Of(1000, 10_000);
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Whatever the tests themselves were told to ignore.</summary>
    private static readonly string[] AllSignals = ["env", "--default-signal=HUP,INT,QUIT"];

    [Fact]
    public async Task Asked_to_end_again_and_again_it_finishes_what_is_on_the_wire_and_nothing_is_uncertain()
    {
        await using var relay = ScriptedSmtpServer.Start(SlowAtTheDot);
        using var workspace = new Workspace { Through = AllSignals }.WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port);
        for (var i = 0; i < Times; i++)
        {
            using var send = workspace.Start("send", "week-1");
            await relay.WaitForAcceptedAsync(relay.AcceptedCount + 1 + i % 7 * 3, Limit);
            var clock = Stopwatch.StartNew();
            Action<RunningProgram>[] signals = [program => program.Terminate(), program => program.Interrupt(), program => program.HangUp()];
            signals[i % 3](send);
            var ended = await send.EndAsync(Limit);
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, Drain);
            Assert.True(ended.ExitCode == 1, ended.ToString());
            Assert.Contains("run it again to resume", ended.Error, StringComparison.Ordinal);
            Assert.Equal((0, relay.AcceptedCount), (LedgerFile.Count(workspace, "claimed", "sending", "uncertain"), LedgerFile.Count(workspace, "sent")));
        }

        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(("sent", Subscribers, Subscribers), (accounts.State, accounts["sent"], relay.AcceptedCount));
    }

    [Fact]
    public async Task A_server_in_the_middle_of_a_send_ends_within_ten_seconds_and_goes_on_at_its_next_start()
    {
        await using var relay = ScriptedSmtpServer.Start(SlowAtTheDot);
        using var workspace = new Workspace { Through = AllSignals }.WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port)
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        using (var send = workspace.Start("send", "week-1"))
        {
            await relay.WaitForAcceptedAsync(1, Limit);
            send.Terminate();
            await send.EndAsync(Limit);
        }
        Action<RunningProgram>[] signals = [program => program.Terminate(), program => program.HangUp(), program => program.Quit()];
        for (var i = 0; i < Scale.Of(3, Times); i++)
        {
            using var serve = workspace.Start("serve");
            await relay.WaitForAcceptedAsync(relay.AcceptedCount + 20, Limit);
            var clock = Stopwatch.StartNew();
            signals[i % 3](serve);
            var ended = await serve.EndAsync(Limit);
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, Drain);
            Assert.True(ended.ExitCode == 0, ended.ToString());
            Assert.Equal((0, relay.AcceptedCount), (LedgerFile.Count(workspace, "claimed", "sending", "uncertain"), LedgerFile.Count(workspace, "sent")));
        }
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        (await Accounts.ReadAsync(workspace, "week-1")).AgreeWith(relay);
        Assert.Equal(Subscribers, relay.AcceptedCount);
    }

    [Fact]
    public async Task A_relay_that_never_answers_does_not_keep_it_from_ending_and_its_message_is_listed()
    {
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            KeepDigests = true,
            Script = moment => moment is { Stage: SmtpStage.Message, Time: 1, Recipient: "subscriber000005@example.com" } ? SmtpMove.KeepThenStall : SmtpMove.Accept,
        });
        using var workspace = new Workspace().WithWeek1().WithSubscribers(20).UseRelay(relay.Port, 2);
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(20, Limit);
        await Eventually.HoldsAsync(() => LedgerFile.Count(workspace, "sent") == 19, "the others are recorded", Limit);
        var clock = Stopwatch.StartNew();
        send.Terminate();
        await send.EndAsync(Limit);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Drain);

        // Held: it is the editor's to decide, however often the issue is sent.
        Assert.Equal(3, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal("subscriber000005@example.com", Assert.Single(accounts.Rows, row => row.State == "uncertain").Address);
        Assert.Equal(20, relay.AcceptedCount);
    }

    [Fact]
    public async Task A_server_whose_job_waits_for_a_silent_relay_ends_in_good_order()
    {
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Script = moment => moment.Stage == SmtpStage.Message ? SmtpMove.KeepThenStall : SmtpMove.Accept });
        using var workspace = new Workspace().WithWeek1().WithSubscribers(5).UseRelay(relay.Port, 1).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        using (var send = workspace.Start("send", "week-1"))
        {
            await relay.WaitForAcceptedAsync(1, Limit);
            send.Kill();
            await send.EndAsync(Limit);
        }
        using var serve = workspace.Start("serve");
        await relay.WaitForAcceptedAsync(2, Limit);
        var clock = Stopwatch.StartNew();
        serve.Terminate();
        var ended = await serve.EndAsync(Limit);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Drain);
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.Equal((2, 0), (LedgerFile.Count(workspace, "uncertain"), LedgerFile.Count(workspace, "claimed", "sending")));
    }

    [Fact]
    public async Task A_server_that_is_asked_twice_ends_at_once()
    {
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Script = moment => moment.Stage == SmtpStage.Message ? SmtpMove.KeepThenStall : SmtpMove.Accept });
        using var workspace = new Workspace { Through = AllSignals }.WithWeek1().WithSubscribers(5).UseRelay(relay.Port, 1)
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        using (var send = workspace.Start("send", "week-1"))
        {
            await relay.WaitForAcceptedAsync(1, Limit);
            send.Kill();
            await send.EndAsync(Limit);
        }
        using var serve = workspace.Start("serve");
        await relay.WaitForAcceptedAsync(2, Limit);
        serve.Interrupt();
        await Eventually.HoldsAsync(() => serve.Error.Contains("Once more stops at once.", StringComparison.Ordinal), "it was asked once", Limit);
        serve.Interrupt();
        Assert.Equal(128 + 2, (await serve.EndAsync(Limit)).ExitCode);
    }

    private static SmtpMove SlowAtTheDot(SmtpMoment moment)
        => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;
}
