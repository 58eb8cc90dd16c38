using System.Diagnostics;
using System.Net.Sockets;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The process is asked to end, and what it waits for does not happen: it cuts that off in the last moment it has, less than a second before its limit.</summary>
[Collection(nameof(WholeMachine))]
public sealed class LastMomentTests
{
    private static readonly int Subscribers = Scale.Of(1000, 10_000);
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("serve", 0)]
    [InlineData("send", 1)]
    public async Task A_log_that_nobody_reads_any_more_keeps_no_program_from_ending(string command, int code)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("A pipe that its own writer holds open is there on Linux alone.");
        await using var relay = ScriptedSmtpServer.Start(SlowAtTheDot(TimeSpan.FromMilliseconds(10)));
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
    public async Task A_request_that_a_stranger_does_not_finish_keeps_no_server_from_draining_what_it_has_joined()
    {
        await using var relay = ScriptedSmtpServer.Start(SlowAtTheDot(TimeSpan.FromMilliseconds(150)));
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

    private static Func<SmtpMoment, SmtpMove> SlowAtTheDot(TimeSpan pause)
        => moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(pause, TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;
}
