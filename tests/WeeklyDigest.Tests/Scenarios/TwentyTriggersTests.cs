using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Everybody presses every button at the same time.</summary>
[Collection(nameof(WholeMachine))]
public sealed class TwentyTriggersTests
{
    private static readonly int Commands = Scale.Of(6, 20);
    private const int DashboardTriggers = 7;
    private const int Requeues = 7;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData("sqlite", 10_000)]
    [InlineData("postgres", 3_000)]
    public async Task Twenty_triggers_at_once_send_each_subscriber_exactly_one_message(string provider, int subscribers)
    {
        if (Scale.IsFull) subscribers = 10_000;
        var allTriggered = new TaskCompletionSource();
        await using var relay = ScriptedSmtpServer.Start(moment => moment is { Stage: SmtpStage.Message }
            ? SmtpMove.Hold(allTriggered.Task, SmtpMove.Accept)
            : SmtpMove.Accept);
        using var workspace = new Workspace().On(provider).WithWeek1().WithSubscribers(subscribers).UseRelay(relay.Port).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        using var serve = workspace.Start("serve");
        using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token="));

        // The first trigger's job is the one that is requeued. The relay takes no message before all twenty have been given.
        await editor.TriggerAsync("weekly-digest");
        var job = "";
        await EventuallyAsync(async () => (job = await editor.LastJobAsync("weekly-digest") ?? "").Length > 0);
        var sends = Enumerable.Range(0, Commands).Select(_ => workspace.Start("send", "week-1")).ToList();
        await Task.WhenAll(
        [
            .. Enumerable.Range(0, DashboardTriggers - 1).Select(_ => editor.TriggerAsync("weekly-digest")),
            .. Enumerable.Range(0, Requeues).Select(_ => editor.RequeueAsync(job)),
        ]);
        allTriggered.SetResult();

        foreach (var send in sends)
        {
            Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        }

        await relay.WaitForAcceptedAsync(subscribers, Limit);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal((subscribers, subscribers, subscribers), (accounts.Total, accounts["sent"], relay.AcceptedCount));
        Assert.Contains("week-1", await editor.TextAsync($"/hangfire/jobs/details/{job}"), StringComparison.Ordinal);

        // The dashboard says so, when asked once more.
        await editor.RequeueAsync(job);
        await EventuallyAsync(async () => (await editor.TextAsync($"/hangfire/jobs/details/{job}")).Contains("Already sent", StringComparison.Ordinal));
        Assert.Equal(subscribers, relay.AcceptedCount);
    }

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, "not in time");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
