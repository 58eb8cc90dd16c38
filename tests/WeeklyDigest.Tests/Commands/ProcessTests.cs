using WeeklyDigest.Server.Commands;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Commands;

/// <summary>The built program as a process of its own.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Results_go_to_stdout_reasons_to_stderr_and_exit_codes_tell()
    {
        workspace.Write("issues/a.md", "---\ntitle:\n---\nHello.\n");
        var check = await workspace.RunAsync("check", "a", "--json");
        Assert.Equal((1, ""), (check.ExitCode, check.Error));
        Assert.StartsWith("{", check.Out, StringComparison.Ordinal);
        Assert.Equal(2, (await workspace.RunAsync("send")).ExitCode);
        var missing = await workspace.RunAsync("check", "b");
        Assert.Equal((1, ""), (missing.ExitCode, missing.Out));
    }

    [Fact]
    public async Task Without_a_relay_the_built_in_inbox_receives()
    {
        workspace.WithSubscribers(5);
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello.\n");
        var result = await workspace.RunAsync("send", "a");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("", result.Error);
        Assert.Equal(5, Directory.EnumerateFiles(workspace.InboxFolder, "*.eml").Count());
    }

    [Fact]
    public async Task Two_commands_share_one_mailing()
    {
        await using var relay = ScriptedSmtpServer.Start();
        workspace.UseRelay(relay.Port).WithSubscribers(300);
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello.\n");
        var results = await Task.WhenAll(workspace.RunAsync("send", "a"), workspace.RunAsync("send", "a"));
        Assert.All(results, result => Assert.True(result.ExitCode == 0, result.ToString()));
        Assert.All(results, result => Assert.Contains("300 = 0 pending + 0 claimed + 0 sending + 0 deferred + 300 sent", result.Out, StringComparison.Ordinal));
        Assert.Equal((300, 300), (relay.AcceptedCount, relay.Accepted.Select(message => message.Recipient).Distinct().Count()));
    }

    [Fact]
    public async Task Interrupted_it_finishes_what_is_on_the_wire_and_the_next_run_resumes()
    {
        var gate = new TaskCompletionSource();
        await using var relay = ScriptedSmtpServer.Start(moment => moment is { Stage: SmtpStage.Message } ? SmtpMove.Hold(gate.Task, SmtpMove.Accept) : SmtpMove.Accept);
        workspace.UseRelay(relay.Port, connections: 1).WithSubscribers(50);
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello.\n");
        var first = workspace.Start("send", "a");
        await Eventually.HoldsAsync(() => relay.Commands.Any(command => command.Line == "DATA"), "the first message is on its way", TimeSpan.FromSeconds(60));
        first.Terminate();
        await Eventually.HoldsAsync(() => first.Error.Contains("Stopping", StringComparison.Ordinal), "the signal arrived");
        gate.SetResult();
        var interrupted = await first.EndAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(1, interrupted.ExitCode);
        Assert.Contains("Interrupted; run it again to resume.", interrupted.Error, StringComparison.Ordinal);

        var second = await workspace.RunAsync("send", "a");
        Assert.True(second.ExitCode == 0, second.ToString());
        Assert.Equal((50, 50), (relay.AcceptedCount, relay.Accepted.Select(message => message.Recipient).Distinct().Count()));
    }

    [Fact]
    public async Task What_comes_through_stdin_is_waited_for_without_the_database_and_a_signal_ends_that_at_once()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("There is no /dev/stdin.");
        var import = workspace.Start("subscribers", "import", "/dev/stdin", "--list", "readers");
        await Eventually.HoldsAsync(() => File.Exists(workspace.DatabaseFile), "the database is open", TimeSpan.FromSeconds(60));
        Assert.Equal(0, (await workspace.RunAsync("subscribers", "add", "ann@example.org", "--list", "readers")).ExitCode);
        import.Terminate();
        var ended = await import.EndAsync(TimeSpan.FromSeconds(8));
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("Interrupted", ended.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFiles(workspace.PathOf("data")), file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_line_that_nobody_types_is_not_waited_for_when_the_end_is_asked_for()
    {
        using var stopping = new CancellationTokenSource();
        using var input = new SilentReader();
        var asking = Task.Run(() => CommandLine.RunAsync(
            ["config", "hash-password"],
            new CommandHost { Out = TextWriter.Null, Error = TextWriter.Null, In = input, Environment = workspace.Environment, Directory = workspace.Root, Stopping = stopping.Token }));
        await input.Asked.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await stopping.CancelAsync();
        Assert.Equal(1, await asking.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Started_with_nohup_it_outlives_its_session()
    {
        var gate = new TaskCompletionSource();
        await using var relay = ScriptedSmtpServer.Start(moment => moment is { Stage: SmtpStage.Message } ? SmtpMove.Hold(gate.Task, SmtpMove.Accept) : SmtpMove.Accept);
        workspace.UseRelay(relay.Port, connections: 1).WithSubscribers(5);
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello.\n");
        workspace.Through = ["env", "--ignore-signal=HUP"];
        var send = workspace.Start("send", "a");
        await Eventually.HoldsAsync(() => relay.Commands.Any(command => command.Line == "DATA"), "the first message is on its way", TimeSpan.FromSeconds(60));
        send.HangUp();
        gate.SetResult();
        var ended = await send.EndAsync(TimeSpan.FromSeconds(60));
        Assert.True((ended.ExitCode, ended.Error) == (0, ""), ended.ToString());
        Assert.Equal(5, relay.AcceptedCount);
    }

    [Theory]
    [InlineData(">/dev/full")]
    [InlineData(">/dev/full 2>&1")]
    public async Task Output_that_cannot_be_written_stops_no_delivery_and_the_exit_code_tells(string output)
    {
        workspace.WithSubscribers(5);
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello.\n");
        workspace.Through = ["/bin/sh", "-c", $"exec \"$0\" \"$@\" {output}"];
        var result = await workspace.RunAsync("send", "a");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Equal(5, Directory.EnumerateFiles(workspace.InboxFolder, "*.eml").Count());
        if (!output.Contains('2', StringComparison.Ordinal)) Assert.Equal("Standard output cannot be written: No space left on device. The command went on without it.", result.Error.TrimEnd().Split(" : '")[0]);
    }

    [Fact]
    public async Task Serving_where_something_else_listens_is_refused_in_one_sentence()
    {
        await using var other = ScriptedSmtpServer.Start();
        var result = await workspace.RunAsync("serve", "--urls", $"http://127.0.0.1:{other.Port}");
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.Equal($"Cannot listen on http://127.0.0.1:{other.Port}: something else does already, perhaps another `weeklydigest serve`. Stop it, or choose another address with --urls.", result.Error.TrimEnd());
    }

    [Fact]
    public async Task The_demo_publishes_serves_and_leaves_nothing_behind()
    {
        var sample = Path.Combine(Workspace.RepositoryRoot, "subscribers", "sample.csv");
        File.Copy(sample, workspace.PathOf("subscribers/sample.csv"));
        workspace.WithWeek1().UseRelay(1);
        workspace.Environment["TMPDIR"] = workspace.Root;
        var demo = workspace.Start("demo");
        var printed = await demo.PrintedAsync("Ctrl-C ends it");
        Assert.Matches(@"\n(\d+) = 0 pending \+ 0 claimed \+ 0 sending \+ 0 deferred \+ \1 sent \+ 0 failed", printed);
        var link = printed.Split('\n').Single(line => line.StartsWith("Sign in", StringComparison.Ordinal))["Sign in".Length..].Trim();
        using var client = new HttpClient { BaseAddress = new Uri(link), Timeout = TimeSpan.FromSeconds(30) };
        Assert.Contains("week 1", await client.GetStringAsync("/", TestContext.Current.CancellationToken), StringComparison.OrdinalIgnoreCase);
        Assert.Single(Directory.EnumerateDirectories(workspace.Root, "weeklydigest-demo-*"));

        demo.Interrupt();
        var ended = await demo.EndAsync(TimeSpan.FromSeconds(60));
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.Empty(Directory.EnumerateDirectories(workspace.Root, "weeklydigest-demo-*"));
        Assert.False(Directory.Exists(workspace.PathOf("data")));
    }

    /// <summary>A terminal at which nobody types.</summary>
    private sealed class SilentReader : TextReader
    {
        private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim end = new();

        /// <summary>Somebody waits for a line.</summary>
        public Task Asked => asked.Task;

        public override string? ReadLine()
        {
            asked.TrySetResult();
            end.Wait();
            return null;
        }

        protected override void Dispose(bool disposing)
        {
            end.Set();
            base.Dispose(disposing);
        }
    }
}
