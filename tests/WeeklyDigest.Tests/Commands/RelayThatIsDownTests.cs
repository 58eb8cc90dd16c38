namespace WeeklyDigest.Tests.Commands;

public sealed class RelayThatIsDownTests
{
    [Fact]
    public async Task Status_and_the_log_name_a_relay_that_answers_nothing_and_there_is_nothing_to_resume()
    {
        using var workspace = new Workspace().WithSubscribers(3).UseRelay(LoopbackPort.Free());
        workspace.Write("issues/a.md", "---\ntitle: A\n---\nHello.\n");
        using var send = workspace.Start("send", "a");
        await Eventually.HoldsAsync(() => send.Error.Contains("cannot be reached", StringComparison.Ordinal), "the log tells", TimeSpan.FromSeconds(60));
        var words = "";
        await Eventually.HoldsAsync(() => (words = workspace.RunHereAsync("status", "a").Result.Out).Contains("alarm: relay ", StringComparison.Ordinal), "it is noted", TimeSpan.FromSeconds(60));
        Assert.Matches(@"alarm: relay '[^']+' has answered nothing since 2\d{3}-[^.]+, as often as it was tried\. Relay .+ cannot be reached: ", words);
        var aside = (await workspace.JsonAsync("status", "a", "--json")).GetProperty("relaysAside")[0];
        Assert.Equal("down", aside.GetProperty("kind").GetString());
        Assert.StartsWith("Relay ", aside.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("a is sending; resume works on one that is paused", (await workspace.RunHereAsync("resume", "a")).Error, StringComparison.Ordinal);
        send.Terminate();
        Assert.Equal(1, (await send.EndAsync(TimeSpan.FromSeconds(60))).ExitCode);
    }
}
