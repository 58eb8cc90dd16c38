using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>A mailing is worked on by one job, however often the server goes and comes back, and the other workers are free.</summary>
public sealed class OneJobTests
{
    private const int Subscribers = 2000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("sqlite", false)]
    [InlineData("postgres", false)]
    // Begun by an editor: the job that goes on with it is the editor's.
    [InlineData("sqlite", true)]
    public async Task Restarts_during_a_mailing_add_no_job_to_it(string provider, bool isTriggered)
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        using var workspace = new Workspace().On(provider).WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, 4)
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Newsletter:Editor", "Ada Editor <editor@example.com>").Set("Urls", "http://127.0.0.1:0");
        if (!isTriggered) await LeaveAsync(workspace, relay);
        for (var restart = 0; restart < 4; restart++)
        {
            using var serve = workspace.Start("serve");
            using var reader = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token=", Limit));
            for (var time = 0; isTriggered && time < 3; time++) await reader.TriggerAsync("weekly-digest");
            await relay.WaitForAcceptedAsync(relay.AcceptedCount + 20, Limit);
            // The first kill is the worst: on PostgreSQL the job stays taken for a while.
            if (restart % 2 == 0) serve.Kill();
            else serve.Terminate();
            await serve.EndAsync(Limit);
        }

        using var last = workspace.Start("serve");
        using var editor = await Editor.SignInAsync(await last.PrintedAsync("/sign-in?token=", Limit));
        await relay.WaitForAcceptedAsync(relay.AcceptedCount + 20, Limit);
        await Eventually.HoldsAsync(() => JobsAsync(editor).Result.Count == 1, "what was triggered beside it has ended", Limit);
        var job = Assert.Single(await JobsAsync(editor));
        await editor.TriggerAsync("preview-to-self");
        await Eventually.HoldsAsync(() => Preview(editor).Contains("Subscribers got nothing.", StringComparison.Ordinal), "a preview runs beside it", Limit);

        relay.Script = _ => SmtpMove.Accept;
        await Eventually.HoldsAsync(() => editor.TextAsync($"/hangfire/jobs/details/{job}").Result.Contains("ent: week-1", StringComparison.Ordinal), "its one job says how it ended", Limit);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
    }

    // A mailing that nobody delivers: the server's watch starts the job.
    private static async Task LeaveAsync(Workspace workspace, ScriptedSmtpServer relay)
    {
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(20, Limit);
        send.Kill();
        await send.EndAsync(Limit);
    }

    private static async Task<List<string>> JobsAsync(Editor editor) => [.. (await editor.ProcessingAsync()).Union(await editor.EnqueuedAsync())];

    private static string Preview(Editor editor)
        => editor.LastJobAsync("preview-to-self").Result is { } job ? editor.TextAsync($"/hangfire/jobs/details/{job}").Result : "";

    private static SmtpMove Slowly(SmtpMoment moment) => moment.Stage == SmtpStage.Message
        ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(150), TimeProvider.System), SmtpMove.Accept)
        : SmtpMove.Accept;
}
