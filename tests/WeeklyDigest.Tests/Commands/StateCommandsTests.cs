using System.Globalization;
using WeeklyDigest.Tests.JobStorage;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Commands;

/// <summary>pause, resume and cancel in every state a mailing can have.</summary>
public sealed class StateCommandsTests : IAsyncDisposable
{
    private const string Paused = "a: paused: by the editor";
    private const string Cancelled = "a: cancelled: by the editor";

    private readonly Workspace workspace = new();
    private readonly ScriptedSmtpServer relay = ScriptedSmtpServer.Start();

    public StateCommandsTests()
    {
        workspace.UseRelay(relay.Port).WithSubscribers(3);
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello.\n");
    }

    public async ValueTask DisposeAsync()
    {
        workspace.Dispose();
        await relay.DisposeAsync();
    }

    [Fact]
    public async Task Asked_to_end_while_it_waits_it_ends_and_changes_nothing()
    {
        await BringAboutAsync("scheduled");
        var other = new OtherProgram(workspace.DatabaseFile, "BEGIN IMMEDIATE");
        using var cancel = workspace.Start("cancel", "a");
        await Eventually.HoldsAsync(() => cancel.Error.Contains("keeps the database", StringComparison.Ordinal), "it waits", TimeSpan.FromSeconds(60));
        cancel.Terminate();
        var result = await cancel.EndAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.EndsWith("Interrupted; run it again to resume.", result.Error.Trim(), StringComparison.Ordinal);
        other.Dispose();
        Assert.Equal("scheduled", (await workspace.JsonHereAsync("status", "a", "--json")).GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("scheduled", "pause", Paused + "; its time is LATER")]
    [InlineData("scheduled", "resume", "")]
    [InlineData("scheduled", "cancel", Cancelled)]
    [InlineData("sending", "pause", Paused)]
    [InlineData("sending", "resume", "")]
    [InlineData("sending", "cancel", Cancelled)]
    [InlineData("paused before its time", "pause", "")]
    [InlineData("paused before its time", "resume", "a: scheduled for LATER")]
    [InlineData("paused before its time", "cancel", Cancelled)]
    [InlineData("paused in the middle", "pause", "")]
    [InlineData("paused in the middle", "resume", "a: sending")]
    [InlineData("paused in the middle", "cancel", Cancelled)]
    [InlineData("cancelled", "pause", "")]
    [InlineData("cancelled", "resume", "")]
    [InlineData("cancelled", "cancel", "")]
    [InlineData("sent", "pause", "")]
    [InlineData("sent", "resume", "")]
    [InlineData("sent", "cancel", "")]
    public async Task Each_does_its_work_or_says_why_not_and_nothing_is_sent_by_it(string state, string command, string expected)
    {
        await BringAboutAsync(state);
        var (before, accepted) = (await workspace.RunHereAsync("status", "a", "--json"), relay.AcceptedCount);
        var result = await workspace.RunHereAsync(command, "a");
        if (expected.Length > 0)
        {
            Assert.Equal((0, expected.Replace("LATER", Later("yyyy-MM-dd HH:mm:ss zzz"), StringComparison.Ordinal)), (result.ExitCode, result.Out.ReplaceLineEndings("\n").Split('\n')[0]));
        }
        else
        {
            Assert.Equal((1, ""), (result.ExitCode, result.Out));
            Assert.StartsWith($"a is {state.Split(' ')[0]}; {command} works on one that is ", result.Error, StringComparison.Ordinal);
            Assert.Equal(before.Out, (await workspace.RunHereAsync("status", "a", "--json")).Out);
        }
        Assert.Equal(accepted, relay.AcceptedCount);
    }

    private static string Later(string format) => Workspace.Later.ToString(format, CultureInfo.InvariantCulture);

    private async Task BringAboutAsync(string state)
    {
        if (state is "sending" or "paused in the middle")
            relay.Script = moment => moment is { Stage: SmtpStage.RcptTo, Recipient: "subscriber000002@example.com" } ? SmtpMove.Reply("450 4.2.1 later") : SmtpMove.Accept;
        await (state is "scheduled" or "paused before its time" or "cancelled" ? workspace.RunHereAsync("send", "a", "--at", Later("s")) : workspace.RunHereAsync("send", "a"));
        if (state.StartsWith("paused", StringComparison.Ordinal)) await workspace.RunHereAsync("pause", "a");
        if (state == "cancelled") await workspace.RunHereAsync("cancel", "a");
    }
}
