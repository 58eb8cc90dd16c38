using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Commands;

/// <summary>What is said of a receiving domain that a mailing left alone, once the mailing is over: nothing waits any more, and resuming would be refused.</summary>
public sealed class StoppedDomainWordsTests : IAsyncDisposable
{
    private readonly Workspace workspace = new();
    private readonly ScriptedSmtpServer relay = ScriptedSmtpServer.Start(moment => moment is { Stage: SmtpStage.RcptTo } && moment.Recipient.EndsWith("@strict.example", StringComparison.Ordinal)
        ? SmtpMove.Reply("550 5.7.1 Blocked for policy reasons")
        : SmtpMove.Accept);

    public StoppedDomainWordsTests()
    {
        workspace.UseRelay(relay.Port, connections: 1);
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello.\n");
    }

    public async ValueTask DisposeAsync()
    {
        workspace.Dispose();
        await relay.DisposeAsync();
    }

    [Fact]
    public async Task Of_a_cancelled_mailing_nobody_waits_and_no_command_says_to_resume_it()
    {
        Subscribe(30);
        Assert.Equal(1, (await workspace.RunHereAsync("send", "a")).ExitCode);
        var paused = await workspace.RunHereAsync("status", "a");
        Assert.Contains("left alone after 20 in a row, 10 wait. Its last words: 550 5.7.1", paused.Out, StringComparison.Ordinal);
        Assert.Contains("`weeklydigest resume a` tries the domains again", paused.Out, StringComparison.Ordinal);
        Assert.Equal(10, await WaitingAsync());

        Assert.Equal(0, (await workspace.RunHereAsync("cancel", "a")).ExitCode);
        await AssertOverAsync("cancelled", workspace.RunHereAsync("send", "a"));
    }

    [Fact]
    public async Task Nor_of_one_that_is_sent()
    {
        Subscribe(20);
        var send = workspace.RunHereAsync("send", "a");
        Assert.Equal(3, (await send).ExitCode);
        await AssertOverAsync("sent", send);
    }

    private async Task AssertOverAsync(string state, Task<CommandResult> sending)
    {
        var (send, status) = (await sending, await workspace.RunHereAsync("status", "a"));
        Assert.StartsWith($"a: {state}", status.Out, StringComparison.Ordinal);
        Assert.All([status.Out, send.Error], words =>
        {
            Assert.Contains("alarm: strict.example refused 20 messages, suppressing nobody; left alone after 20 in a row. Its last words: 550 5.7.1", words, StringComparison.Ordinal);
            Assert.DoesNotContain("resume", words, StringComparison.Ordinal);
        });
        Assert.Equal(0, await WaitingAsync());
        Assert.Equal(1, (await workspace.RunHereAsync("resume", "a")).ExitCode);
    }

    private async Task<int> WaitingAsync()
        => Assert.Single((await workspace.JsonHereAsync("status", "a", "--json")).GetProperty("alarms").EnumerateArray().ToList()).GetProperty("waiting").GetInt32();

    private void Subscribe(int strict)
        => workspace.Write("subscribers/all.csv", "email\nanna@example.com\n" + string.Concat(Enumerable.Range(1, strict).Select(number => FormattableString.Invariant($"s{number}@strict.example\n"))));
}
