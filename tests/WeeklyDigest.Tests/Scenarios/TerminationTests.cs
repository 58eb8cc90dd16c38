using System.Diagnostics;
using System.Net.Sockets;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The process is asked to end, as service managers and Ctrl-C do.</summary>
[Collection(nameof(WholeMachine))]
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

    [Theory]
    [InlineData("serve", 0)]
    [InlineData("send", 1)]
    public async Task A_log_that_nobody_reads_any_more_keeps_no_program_from_ending(string command, int code)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("A pipe that its own writer holds open is there on Linux alone.");
        await using var relay = ScriptedSmtpServer.Start(SlowAtTheDot);
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        using (var first = workspace.Start("send", "week-1"))
        {
            await relay.WaitForAcceptedAsync(1, Limit);
            first.Terminate();
            await first.EndAsync(Limit);
        }
        workspace.Through = ["sh", "-c", "mkfifo \"$0\"; exec 3<>\"$0\"; dd if=/dev/zero of=\"$0\" bs=4096 count=1024 oflag=nonblock 2>/dev/null; exec \"$@\" 2>&3", workspace.PathOf("log")];
        using var program = workspace.Start([command, .. command == "send" ? ["week-1"] : Array.Empty<string>()]);
        await relay.WaitForAcceptedAsync(relay.AcceptedCount + 10, Limit);
        var clock = Stopwatch.StartNew();
        program.Terminate();
        var ended = await program.EndAsync(Limit);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Drain);
        Assert.Equal(code, ended.ExitCode);
        Assert.Equal((0, relay.AcceptedCount), (LedgerFile.Count(workspace, "claimed", "sending", "uncertain"), LedgerFile.Count(workspace, "sent")));
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

    [Fact]
    public async Task A_request_that_a_stranger_does_not_finish_keeps_no_server_from_draining_what_it_has_joined()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => SlowAtTheDot(moment, TimeSpan.FromMilliseconds(150)));
        var port = LoopbackPort.Free();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(2000).UseRelay(relay.Port)
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", $"http://127.0.0.1:{port}").Set("Logging:LogLevel:WeeklyDigest", "Information");
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(1, Limit);
        using var serve = workspace.Start("serve");
        await Eventually.HoldsAsync(() => serve.Error.Contains("Joining the mailing week-1", StringComparison.Ordinal), "the server joins", Limit);
        await Eventually.HoldsAsync(() => relay.OpenConnections > 4, "it sends", Limit);
        using var stranger = new TcpClient("127.0.0.1", port);
        await stranger.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: x\r\nX-A"u8.ToArray(), TestContext.Current.CancellationToken);

        var clock = Stopwatch.StartNew();
        serve.Terminate();
        var ended = await serve.EndAsync(Limit);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(9));
        Assert.Equal((0, false), (ended.ExitCode, ended.Error.Contains("in good order", StringComparison.Ordinal)));
        send.Terminate();
        await send.EndAsync(Limit);
        Assert.Equal((0, relay.AcceptedCount), (LedgerFile.Count(workspace, "claimed", "sending", "uncertain"), LedgerFile.Count(workspace, "sent")));
    }

    private static SmtpMove SlowAtTheDot(SmtpMoment moment) => SlowAtTheDot(moment, TimeSpan.FromMilliseconds(10));

    private static SmtpMove SlowAtTheDot(SmtpMoment moment, TimeSpan pause)
        => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(pause, TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;
}
