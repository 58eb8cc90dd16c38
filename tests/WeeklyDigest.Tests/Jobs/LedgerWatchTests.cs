using Hangfire.Storage;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Relays;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

public sealed class LedgerWatchTests
{
    [Fact]
    public async Task Delivers_what_another_process_left_behind()
    {
        await using var site = await TestSite.StartAsync();

        // Published and never delivered: what a killed command leaves.
        await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com", "bob@example.com");

        await Eventually.HoldsAsync(() => site.Inbox.Count == 2, "the watch took it up", TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_failed_mail_server_of_a_moment_ago_is_tried_again_without_anybody_asking()
    {
        await using var relay = ScriptedSmtpServer.Start(moment =>
            moment is { Stage: SmtpStage.RcptTo, Time: 1 } ? SmtpMove.Reply("451 4.7.1 Greylisted") : SmtpMove.Accept);
        await using var site = await TestSite.StartAsync(null,
            ("Smtp:Relays:0:Port", $"{relay.Port}"), ("Delivery:FirstRetryAfter", "00:00:01"));

        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com");

        await Eventually.HoldsAsync(() => relay.AcceptedCount == 1, "the deferred delivery was tried again", TimeSpan.FromMinutes(1));
        await Eventually.HoldsAsync(() => Balance(site, mailing).Result.Sent == 1, "the ledger knows");
    }

    [Fact]
    public async Task The_recurring_jobs_are_written_at_every_start()
    {
        await using var site = await TestSite.StartAsync(null, ("Newsletter:Schedule:Cron", "30 7 * * 5"), ("Newsletter:Schedule:TimeZone", "Europe/Berlin"));

        using var connection = new JobDesk(site).Storage.GetConnection();
        var jobs = connection.GetRecurringJobs().ToDictionary(job => job.Id);

        Assert.Equal("30 7 * * 5", jobs[ScheduleJob.Name].Cron);
        Assert.Equal("Europe/Berlin", jobs[ScheduleJob.Name].TimeZoneId);
        Assert.Null(jobs[PreviewJob.Name].NextExecution);
        Assert.Null(jobs[WeeklyDigestJob.Name].NextExecution);
        Assert.Equal(3, jobs.Count);
    }

    [Fact]
    public async Task A_mailing_whose_time_passed_too_long_ago_is_held_for_the_editor_who_may_resume_it()
    {
        await using var site = await TestSite.StartAsync();
        var mailings = site.Installation.Database.Mailings;
        var late = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", TimeProvider.System.GetUtcNow().AddHours(-13), "ada@example.com");
        var inTime = await site.PublishedAsync("week-2", "/posts/week-2", "<p></p>", TimeProvider.System.GetUtcNow().AddHours(-11), "ada@example.com");

        await Eventually.HoldsAsync(() => mailings.FindAsync(late, CancellationToken.None).Result!.State == MailingState.Paused, "it is held", TimeSpan.FromMinutes(1));
        await Eventually.HoldsAsync(() => mailings.FindAsync(inTime, CancellationToken.None).Result!.State == MailingState.Sent, "the other is sent", TimeSpan.FromMinutes(1));
        var held = (await mailings.FindAsync(late, CancellationToken.None))!;
        Assert.Contains("too long ago to send it unasked", held.StateReason, StringComparison.Ordinal);
        Assert.True(held.CanBeRescheduled);
        await Eventually.HoldsAsync(() => site.HasLogged(line => line == $"week-1 was not sent: it {held.StateReason}"), "the log says so");
        Assert.Equal(1, site.Inbox.Count);

        Assert.True(await mailings.ChangeStateAsync(late, [MailingState.Paused], held.Resumed(TimeProvider.System.GetUtcNow()), null, TimeProvider.System.GetUtcNow(), CancellationToken.None));
        await Eventually.HoldsAsync(() => site.Inbox.Count == 2, "resumed, it is sent", TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Stopping_drains_within_seconds_and_loses_nobody()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message
            ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System), SmtpMove.Accept)
            : SmtpMove.Accept);
        await using var site = await TestSite.StartAsync(null, ("Smtp:Relays:0:Port", $"{relay.Port}"));
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", [.. Enumerable.Range(1, 2000).Select(i => $"reader{i}@example.com")]);
        await Eventually.HoldsAsync(() => relay.AcceptedCount > 20, "it is being sent", TimeSpan.FromMinutes(1));

        var clock = System.Diagnostics.Stopwatch.StartNew();
        await site.App.StopAsync(TestContext.Current.CancellationToken);

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(9), clock.Elapsed.ToString());
        // The engine belongs to the installation and finishes what was on the wire.
        await Eventually.HoldsAsync(() => Balance(site, mailing).Result is { Claimed: 0, Sending: 0 }, "what was on the wire is finished");
        var balance = await Balance(site, mailing);
        Assert.True(balance is { AddsUp: true, Uncertain: 0 }, balance.ToString());
        Assert.Equal(relay.AcceptedCount, balance.Sent);
        Assert.InRange(balance.Pending, 1, 1979);
    }

    private static Task<Balance> Balance(TestSite site, long mailing) => site.Installation.Database.Mailings.BalanceAsync(mailing, CancellationToken.None);
}
