using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.Relays;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

/// <summary>A mailing takes hours. However often it is triggered, one job holds a worker for it, and the others are free.</summary>
public sealed class FreeWorkersTests
{
    private const int Readers = 2000;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Eight_triggers_of_a_long_mailing_hold_up_neither_a_preview_nor_another_issue_and_say_whose_page_shows_it()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        await using var site = await TestSite.StartAsync(WriteIssue, ("Smtp:Relays:0:Port", $"{relay.Port}"));
        var later = await site.PublishedAsync("week-2", "/posts/week-2", "<p></p>", TimeProvider.System.GetUtcNow().AddSeconds(5), "ada@example.com");
        var desk = new JobDesk(site);

        var triggered = Enumerable.Range(0, 8).Select(_ => desk.Trigger(WeeklyDigestJob.Name)).ToList();
        await relay.WaitForAcceptedAsync(20, Limit);
        var preview = desk.Trigger(PreviewJob.Name);

        Assert.EndsWith("Subscribers got nothing.", (await desk.EndAsync(preview)).Headline, StringComparison.Ordinal);
        await Eventually.HoldsAsync(() => Find(site, later).State == MailingState.Sent, "the other issue is sent when its time comes", Limit);
        var mailing = (await site.Installation.Database.Mailings.ListAsync(Cancel)).Single(one => one.Issue.Value == "week-1");
        Assert.Equal(MailingState.Sending, mailing.State);
        var holder = Assert.Single(triggered, job => desk.Report(job) is { Done: false });
        foreach (var job in triggered.Where(job => job != holder))
        {
            var report = await desk.EndAsync(job);
            Assert.Equal(($"week-1 is being sent by job #{holder}; its page shows the progress.", "week-1"), (report.Headline, report.Issue));
        }
        using var editor = await site.EditorAsync();
        var page = await editor.GetStringAsync(new Uri($"/hangfire/jobs/details/{triggered.First(job => job != holder)}", UriKind.Relative), Cancel);
        Assert.Contains($"<a href=\"/hangfire/jobs/details/{holder}\">Job #{holder}</a>", page, StringComparison.Ordinal);

        relay.Script = _ => SmtpMove.Accept;
        // The reader of the other issue is one of this one's, too.
        Assert.Equal($"Sent: week-1, {Readers + 1} of {Readers + 1}.", (await desk.EndAsync(holder)).Headline);
    }

    // Each has one worker, and that of the first job's node is taken: whatever comes next is the other's to run.
    [Fact]
    public async Task A_trigger_at_another_node_than_that_of_the_job_that_sends_holds_no_worker_there_either()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        var connection = SharedPostgres.NewJobDatabase();
        (string, string)[] settings = [("Storage:Provider", "postgres"), ("Storage:ConnectionString", connection), ("Jobs:Workers", "1"), ("Smtp:Relays:0:Port", $"{relay.Port}")];
        await using (var first = await TestSite.StartAsync(WriteIssue, settings))
        await using (var second = await TestSite.StartAsync(WriteIssue, settings))
        {
            var desk = new JobDesk(first);
            var holder = desk.Trigger(WeeklyDigestJob.Name);
            await relay.WaitForAcceptedAsync(20, Limit);

            Assert.Equal($"week-1 is being sent by job #{holder}; its page shows the progress.", (await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name))).Headline);
            Assert.EndsWith("Subscribers got nothing.", (await desk.EndAsync(desk.Trigger(PreviewJob.Name))).Headline, StringComparison.Ordinal);

            // It was the last that delivers, whatever has ended since.
            Assert.True(first.App.Services.GetRequiredService<IBackgroundJobClient>().Delete(holder));
            await Eventually.HoldsAsync(() => desk.Report(holder) is { Done: true, State: MailingState.Paused }, "the mailing is held", Limit);
        }
        SharedPostgres.Server.Drop(connection);
    }

    [Fact]
    public async Task A_trigger_after_the_job_was_deleted_and_before_its_last_answers_came_goes_on_with_the_mailing()
    {
        var answered = new TaskCompletionSource();
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(answered.Task, SmtpMove.Accept) : SmtpMove.Accept);
        await using var site = await TestSite.StartAsync(WriteIssue, ("Smtp:Relays:0:Port", $"{relay.Port}"));
        var desk = new JobDesk(site);
        var deleted = desk.Trigger(WeeklyDigestJob.Name);
        await Eventually.HoldsAsync(() => desk.Report(deleted) is { Balance.Sending: > 0 }, "it has begun", Limit);

        Assert.True(site.App.Services.GetRequiredService<IBackgroundJobClient>().Delete(deleted));
        var next = desk.Trigger(WeeklyDigestJob.Name);
        await Eventually.HoldsAsync(() => desk.Report(next) is { Headline: "Sending week-1.", Balance: not null }, "the next one delivers", Limit);
        answered.SetResult();

        Assert.Equal($"Sent: week-1, {Readers} of {Readers}.", (await desk.EndAsync(next)).Headline);
        Assert.EndsWith("another job goes on with it.", (await desk.EndAsync(deleted, "Deleted")).Headline, StringComparison.Ordinal);
        Assert.Equal(Readers, relay.AcceptedCount);
    }

    private static void WriteIssue(TemporaryFolder folder)
    {
        folder.Write("subscribers/all.csv", TestSite.List(Readers));
        folder.Write("issues/week-1.md", TestSite.Issue("First"));
    }

    private static SmtpMove Slowly(SmtpMoment moment) => moment.Stage == SmtpStage.Message
        ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System), SmtpMove.Accept)
        : SmtpMove.Accept;

    private static Mailing Find(TestSite site, long mailing) => site.Installation.Database.Mailings.FindAsync(mailing, CancellationToken.None).Result!;
}
