using System.Text;
using WeeklyDigest.Server;
using WeeklyDigest.Server.Commands;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Commands;

/// <summary>Stdout that goes into a file or a pipe, as under cron or a service manager.</summary>
public sealed class RedirectedOutputTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private readonly Workspace workspace = new();

    public RedirectedOutputTests()
    {
        workspace.WithSubscribers(300);
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello.\n");
    }

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task What_was_said_before_a_kill_is_there()
    {
        await using var relay = ScriptedSmtpServer.Start();
        workspace.UseRelay(relay.Port);
        using var send = workspace.Start("send", "a");
        await relay.WaitForAcceptedAsync(1, Limit);
        send.Kill();
        var killed = await send.EndAsync(Limit);
        Assert.StartsWith("List all: 300 added", killed.Out, StringComparison.Ordinal);
        Assert.Contains("a: published, 300 deliveries.\n", killed.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_one_file_with_stderr_all_lines_stand_in_their_order()
    {
        Assert.Equal(0, (await workspace.RunAsync("send", "a")).ExitCode);
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello again.\n");
        workspace.Through = ["sh", "-c", "exec \"$0\" \"$@\" 2>&1"];
        var lines = (await workspace.RunAsync("send", "a")).Out.Split('\n');
        Assert.Equal("a: was published before; nobody is added.", lines[0]);
        Assert.StartsWith("a: has changed since it was published", lines[1], StringComparison.Ordinal);
        Assert.Equal("a: nothing is left to send.", lines[2]);
    }

    [Fact]
    public async Task Many_rows_are_told_in_large_parts_and_anything_else_line_by_line()
    {
        Assert.Equal(0, (await workspace.RunHereAsync("send", "a")).ExitCode);
        foreach (var command in new string[][] { ["deliveries", "a"], ["deliveries", "a", "--csv"], ["deliveries", "a", "--json"], ["subscribers", "export"] })
        {
            var (parts, text) = await PartsAsync(command);
            Assert.Equal(300, text.Split('\n').Count(line => line.Contains("subscriber0", StringComparison.Ordinal)));
            Assert.InRange(parts, 1, 4);
        }
        var status = await PartsAsync(["status", "a"]);
        Assert.Equal(status.Text.Count(letter => letter == '\n'), status.Parts);
    }

    private async Task<(int Parts, string Text)> PartsAsync(string[] command)
    {
        using var stream = new CountingStream();
        await using var output = new ResultOutput(stream, isTerminal: false);
        Assert.Equal(0, await CommandLine.RunAsync(command, new CommandHost { Out = output.Writer, BeginRows = output.BeginRows, Error = TextWriter.Null, Environment = workspace.Environment, Directory = workspace.Root }));
        return (stream.Parts, Encoding.UTF8.GetString(stream.ToArray()));
    }

    private sealed class CountingStream : MemoryStream
    {
        public int Parts { get; private set; }

        // The one that takes a span comes here as well.
        public override void Write(byte[] buffer, int offset, int count)
        {
            Parts++;
            base.Write(buffer, offset, count);
        }
    }
}
