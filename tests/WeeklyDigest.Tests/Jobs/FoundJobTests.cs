using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.Relays;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

/// <summary>Jobs that an earlier process started and that are still to run: the watch starts none beside them.</summary>
public sealed class FoundJobTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_mailing_with_a_job_gets_no_other_and_is_held_when_that_is_deleted(bool isEditors)
    {
        // Nobody here runs jobs, and the time is still to come while the job is made.
        await using var site = await TestSite.StartAsync(null, ("Jobs:Workers", "0"));
        var at = TimeProvider.System.GetUtcNow().AddSeconds(2);
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", at, "ada@example.com");
        var jobs = site.App.Services.GetRequiredService<IBackgroundJobClient>();
        var left = isEditors
            ? jobs.Enqueue<WeeklyDigestJob>(job => job.RunAsync(null, CancellationToken.None))
            : jobs.Enqueue<DeliverMailingJob>(job => job.RunAsync(mailing, null, CancellationToken.None));
        if (isEditors) Choose(site, left);

        await Eventually.HoldsAsync(() => TimeProvider.System.GetUtcNow() > at, "its time has come", Limit);
        for (var look = 0; look < 3; look++) await Watch(site).LookAtMailingsAsync(Cancel);
        Assert.Equal([left], Waiting(site));

        Assert.True(jobs.Delete(left));
        await Watch(site).LookAtMailingsAsync(Cancel);
        Assert.Equal((MailingState.Paused, "its job was deleted"), (Find(site, mailing).State, Find(site, mailing).StateReason));
    }

    [Fact]
    public async Task A_time_of_the_schedule_with_a_job_gets_no_other_and_passes_when_that_is_deleted()
    {
        await using var site = await TestSite.StartAsync(null, ("Jobs:Workers", "0"));
        var schedules = site.Installation.Database.Schedules;
        var dueAt = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        var jobs = site.App.Services.GetRequiredService<IBackgroundJobClient>();
        var left = jobs.Enqueue<ScheduledDigestJob>(job => job.RunAsync(dueAt, null, CancellationToken.None));
        var schedule = await schedules.AdoptAsync("0 9 * * 1", "UTC", dueAt.AddDays(-1), Cancel);
        Assert.True(await schedules.AddAsync(new Occurrence(dueAt, OccurrenceState.Due, null, null), schedule, Cancel));

        for (var look = 0; look < 3; look++) await Watch(site).LookAtScheduleAsync(Cancel);
        Assert.Equal([left], Waiting(site));

        Assert.True(jobs.Delete(left));
        await Watch(site).LookAtScheduleAsync(Cancel);
        Assert.Equal("Its job was deleted.", (await schedules.FindAsync(dueAt, Cancel))!.Note);
    }

    [Fact]
    public async Task Nodes_that_look_at_the_same_moment_start_one_job()
    {
        const int Times = 20;
        var connection = SharedPostgres.NewJobDatabase();
        (string, string)[] settings = [("Storage:Provider", "postgres"), ("Storage:ConnectionString", connection), ("Jobs:Workers", "0")];
        await using (var first = await TestSite.StartAsync(null, settings))
        await using (var second = await TestSite.StartAsync(null, settings))
        {
            // Only the looks that are made here.
            LedgerWatch[] watches = [Watch(first), Watch(second)];
            foreach (var watch in watches) await watch.StopAsync(Cancel);
            var at = TimeProvider.System.GetUtcNow().AddDays(1);
            var schedules = first.Installation.Database.Schedules;
            var schedule = await schedules.AdoptAsync("0 9 * * 1", "UTC", at.AddDays(-3), Cancel);
            for (var time = 0; time < Times; time++)
            {
                await first.PublishedAsync($"week-{time}", $"/posts/week-{time}", "<p></p>", TimeProvider.System.GetUtcNow(), "ada@example.com");
                Assert.True(await schedules.AddAsync(new Occurrence(at.AddMinutes(-time), OccurrenceState.Due, null, null), schedule, Cancel));
                await Task.WhenAll(watches.Select(watch => Task.Run(() => LookAsync(watch), Cancel)));
            }
            foreach (var watch in watches) await LookAsync(watch);
            Assert.Equal(2 * Times, Waiting(first).Count);
        }
        SharedPostgres.Server.Drop(connection);
    }

    [Fact]
    public async Task A_second_wake_up_of_a_mailing_ends_at_once_and_says_whose_page_shows_it()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        await using var site = await TestSite.StartAsync(null, ("Smtp:Relays:0:Port", $"{relay.Port}"));
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", [.. Enumerable.Range(1, 500).Select(i => $"reader{i}@example.com")]);
        var jobs = site.App.Services.GetRequiredService<IBackgroundJobClient>();
        await relay.WaitForAcceptedAsync(20, Limit);

        var surplus = jobs.Enqueue<DeliverMailingJob>(job => job.RunAsync(mailing, null, CancellationToken.None));
        var report = await new JobDesk(site).EndAsync(surplus);
        Assert.Equal($"week-1 is being sent by job #{report.Other}; its page shows the progress.", report.Headline);
        Assert.Equal(MailingState.Sending, Find(site, mailing).State);
        relay.Script = _ => SmtpMove.Accept;
        await Eventually.HoldsAsync(() => Find(site, mailing).State == MailingState.Sent, "the first one goes on", Limit);
        Assert.Equal(500, relay.AcceptedCount);
    }

    // What its page keeps of an earlier run.
    private static void Choose(TestSite site, string job)
    {
        using var connection = new JobDesk(site).Storage.GetConnection();
        connection.SetJobParameter(job, JobPage.IssueParameter, SerializationHelper.Serialize("week-1"));
    }

    private static List<string> Waiting(TestSite site) => [.. new JobDesk(site).Storage.GetMonitoringApi().EnqueuedJobs(EnqueuedState.DefaultQueue, 0, 100).Select(entry => entry.Key)];

    private static async Task LookAsync(LedgerWatch watch)
    {
        await watch.LookAtMailingsAsync(Cancel);
        await watch.LookAtScheduleAsync(Cancel);
    }

    private static LedgerWatch Watch(TestSite site) => site.App.Services.GetRequiredService<IEnumerable<IHostedService>>().OfType<LedgerWatch>().Single();

    private static SmtpMove Slowly(SmtpMoment moment) => moment.Stage == SmtpStage.Message
        ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System), SmtpMove.Accept)
        : SmtpMove.Accept;

    private static Mailing Find(TestSite site, long mailing) => site.Installation.Database.Mailings.FindAsync(mailing, CancellationToken.None).Result!;
}
