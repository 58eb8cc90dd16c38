using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Commands;

/// <summary>The settings of a relay are not in their place: the file has another name, or the environment of another shell lacks them.</summary>
public sealed class LostRelaysTests : IDisposable
{
    private readonly Workspace workspace = new Workspace().WithWeek1().WithSubscribers(3).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");

    private string Words => $"No relay is set, and this ledger has sent over one: the built-in inbox would take what is meant for subscribers. Look whether {workspace.PathOf("appsettings.json")} is the right file, and whether the "
        + "environment sets Smtp__Relays__0__Host and the rest here too. To have the built-in inbox take everything from now on, set Inbox:TakesAll to true.";

    public void Dispose() => workspace.Dispose();

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Nothing_is_sent_into_the_inbox_from_a_ledger_that_was_sent_from_over_a_relay(string provider)
    {
        workspace.On(provider);
        await SendOverRelayAsync();
        workspace.Write("issues/week-2.md", "---\ntitle: week 2\n---\n\nHello.\n\n### An entry\n\nhttps://example.com/2\n\nText.\n");
        foreach (var command in (string[][])[["send", "week-2"], ["serve"]])
        {
            var refused = await workspace.RunHereAsync(command);
            Assert.Equal((1, "", Words), (refused.ExitCode, refused.Out, refused.Error.TrimEnd()));
        }
        var doctor = await workspace.RunHereAsync("doctor");
        Assert.Contains($"problem  relay:     {Words} `send` and `serve` do not begin until then.", doctor.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("None is set", doctor.Out, StringComparison.Ordinal);
        Assert.Equal(1, doctor.ExitCode);

        workspace.Set("Inbox:TakesAll", "true");
        Assert.Equal(0, (await workspace.RunHereAsync("send", "week-2")).ExitCode);
        Assert.Contains("None is set", (await workspace.RunHereAsync("doctor")).Out, StringComparison.Ordinal);
    }

    private async Task SendOverRelayAsync()
    {
        await using var relay = ScriptedSmtpServer.Start(_ => SmtpMove.Accept);
        var settings = workspace.Environment.ToDictionary();
        workspace.UseRelay(relay.Port, 1);
        Assert.Equal(0, (await workspace.RunHereAsync("send", "week-1")).ExitCode);
        Assert.Equal(3, relay.AcceptedCount);
        foreach (var key in workspace.Environment.Keys.Except(settings.Keys).ToList()) workspace.Environment.Remove(key);
    }
}
