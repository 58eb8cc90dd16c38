using Hangfire;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

/// <summary>The editor deletes a job that never ran, and whoever started it is gone: it means the same as deleting one that runs.</summary>
public sealed class DeletedWakeUpTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    // What is scheduled has its time, what is sending is tried again: either is due.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_mailing_it_was_to_wake_is_held_and_its_page_says_so(bool isScheduled)
    {
        await using var site = await TestSite.StartAsync(null, ("Jobs:Workers", "0"));
        var now = TimeProvider.System.GetUtcNow();
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", isScheduled ? now : null, "ada@example.com");
        var wakeUp = Left<DeliverMailingJob>(site, job => job.RunAsync(mailing, null, CancellationToken.None));

        Delete(site, wakeUp);

        await Eventually.HoldsAsync(() => Find(site, mailing) is { State: MailingState.Paused, StateReason: "its job was deleted" }, "the mailing is held", Limit);
        await Eventually.HoldsAsync(() => new JobDesk(site).Report(wakeUp) is { Done: true }, "its page says how it ended", Limit);
        Assert.Equal("Deleted: week-1, 0 of 1; what is left waits until it is resumed on the page Issues.", new JobDesk(site).Report(wakeUp)!.Headline);
        Assert.Equal((0, true), (site.Inbox.Count, Find(site, mailing).CanBeRescheduled == isScheduled));
    }

    [Fact]
    public async Task A_mailing_whose_time_is_still_to_come_keeps_it()
    {
        await using var site = await TestSite.StartAsync(null, ("Jobs:Workers", "0"));
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", TimeProvider.System.GetUtcNow().AddHours(1), "ada@example.com");
        var send = Left<SendIssueJob>(site, job => job.RunAsync("week-1", null, CancellationToken.None));
        Delete(site, send);
        await Eventually.HoldsAsync(() => new JobDesk(site).Report(send) is { Done: true }, "its page says how it ended", Limit);
        Assert.Equal(MailingState.Scheduled, Find(site, mailing).State);
    }

    [Fact]
    public async Task An_issue_that_is_sent_after_all_is_not_held()
    {
        await using var site = await TestSite.StartAsync(null);
        var send = Left<SendIssueJob>(site, job => job.RunAsync("week-1", null, CancellationToken.None));
        Delete(site, send);
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com");
        await Eventually.HoldsAsync(() => Find(site, mailing).State == MailingState.Sent, "it is sent", Limit);
        await Eventually.HoldsAsync(() => new JobDesk(site).Report(send) is { Done: true }, "its page says how it ended", Limit);
        Assert.Equal(("Deleted before anything was published.", 1), (new JobDesk(site).Report(send)!.Headline, site.Inbox.Count));
    }

    [Fact]
    public async Task The_time_of_the_schedule_that_it_was_for_passes()
    {
        await using var site = await TestSite.StartAsync(null, ("Jobs:Workers", "0"));
        var schedules = site.Installation.Database.Schedules;
        var dueAt = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        var schedule = await schedules.AdoptAsync("0 9 * * 1", "UTC", dueAt.AddDays(-1), Cancel);
        Assert.True(await schedules.AddAsync(new Occurrence(dueAt, OccurrenceState.Due, null, null), schedule, Cancel));

        Delete(site, Left<ScheduledDigestJob>(site, job => job.RunAsync(dueAt, null, CancellationToken.None)));

        await Eventually.HoldsAsync(() => schedules.FindAsync(dueAt, Cancel).Result is { State: OccurrenceState.Missed, Note: "Its job was deleted." }, "the time is closed", Limit);
    }

    // As a process leaves it that was killed: nobody here started it, and nobody runs it.
    private static string Left<TJob>(TestSite site, System.Linq.Expressions.Expression<Func<TJob, Task>> call)
        => site.App.Services.GetRequiredService<IBackgroundJobClient>().Create(call, new EnqueuedState("nobody-here"));

    private static void Delete(TestSite site, string job) => Assert.True(site.App.Services.GetRequiredService<IBackgroundJobClient>().Delete(job));

    private static Mailing Find(TestSite site, long mailing) => site.Installation.Database.Mailings.FindAsync(mailing, CancellationToken.None).Result!;
}
