using Microsoft.Extensions.DependencyInjection;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Relays;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

public sealed class WeeklyDigestJobTests
{
    [Fact]
    public async Task Sends_the_oldest_ready_issue_and_its_page_shows_the_balance()
    {
        await using var site = await ThreeReadersAsync("week-1", "week-2");
        var desk = new JobDesk(site);

        var report = await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name));

        Assert.Equal("Sent: week-1, 3 of 3.", report.Headline);
        Assert.True(report is { Done: true, Refused: false, Issue: "week-1", State: MailingState.Sent, Balance: { Total: 3, Sent: 3, AddsUp: true } });
        Assert.Contains("Published week-1 to 3 subscribers.", report.Notes);
        Assert.Equal(["reader1@example.com", "reader2@example.com", "reader3@example.com"], Received(site));
    }

    [Fact]
    public async Task A_mailing_that_pauses_itself_is_told_in_the_log()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.MailFrom ? SmtpMove.Reply("553 5.7.1 not your domain") : SmtpMove.Accept);
        await using var site = await ThreeReadersAsync(relay, "week-1");
        var desk = new JobDesk(site);
        var report = await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name));
        Assert.StartsWith("Paused: week-1, 0 of 3: ", report.Headline, StringComparison.Ordinal);
        Assert.True(site.HasLogged(line => line == report.Headline));
    }

    [Fact]
    public async Task A_second_trigger_sends_nobody_a_second_copy_and_says_so()
    {
        await using var site = await ThreeReadersAsync("week-1");
        var desk = new JobDesk(site);
        await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name));

        var report = await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name));

        Assert.Equal("Already sent: week-1, 3 of 3; nothing to do.", report.Headline);
        Assert.Equal(3, site.Inbox.Count);
    }

    [Fact]
    public async Task Twenty_triggers_at_the_same_moment_are_one()
    {
        // Nothing is delivered before the last of them has been triggered: one that comes after the end means the next issue.
        var triggered = new TaskCompletionSource();
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(triggered.Task, SmtpMove.Accept) : SmtpMove.Accept);
        await using var site = await ThreeReadersAsync(relay, "week-1", "week-2");
        var desk = new JobDesk(site);

        var jobs = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => desk.Trigger(WeeklyDigestJob.Name))));
        triggered.SetResult();
        var reports = await Task.WhenAll(jobs.Select(job => desk.EndAsync(job)));

        Assert.All(reports, report => Assert.Equal("week-1", report.Issue));
        Assert.Single(reports, report => report.Headline == "Sent: week-1, 3 of 3.");
        // The rest came while it was being sent, or when it was.
        Assert.All(reports, report => Assert.True(report.Other is not null || report.Headline.Contains("week-1, 3 of 3", StringComparison.Ordinal), report.Headline));
        Assert.Equal(3, relay.AcceptedCount);
        Assert.Equal(3, relay.Accepted.Select(message => message.Recipient).Distinct().Count());
    }

    [Fact]
    public async Task One_that_finds_it_sent_only_when_it_is_about_to_send_says_so_too()
    {
        await using var site = await ThreeReadersAsync("week-1");
        var desk = new JobDesk(site);
        var job = desk.Trigger(WeeklyDigestJob.Name);
        var report = await desk.EndAsync(job);
        var seenBefore = (await site.Installation.Database.Mailings.ListAsync(CancellationToken.None)).Single() with { State = MailingState.Sending };

        var sending = ActivatorUtilities.CreateInstance<IssueSending>(site.App.Services);
        var headline = await sending.DeliverAsync(JobPage.Left(desk.Storage, job, report), seenBefore, CancellationToken.None);

        Assert.Equal("Already sent: week-1, 3 of 3; nothing to do.", headline);
    }

    [Fact]
    public async Task A_published_issue_under_another_name_is_left_out_and_holds_up_nothing_behind_it()
    {
        await using var site = await ThreeReadersAsync("week-1", "week-3");
        var desk = new JobDesk(site);
        await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name));
        site.Write("issues/week-2.md", TestSite.Issue("week-1"));

        var report = await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name));

        Assert.Equal("Sent: week-3, 3 of 3.", report.Headline);
        Assert.Contains("Left out: week-2.md has the same content as week-1, which was published.", report.Notes);
    }

    [Fact]
    public async Task A_list_that_cannot_be_read_keeps_the_issue_back_and_the_page_before_sending_says_why()
    {
        await using var site = await ThreeReadersAsync("week-1");
        site.Write("subscribers/friends.csv", "email\nfriend@example.com\n\"other@example.com");
        var desk = new JobDesk(site);

        var report = await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name), "Failed");

        Assert.True(report.Refused);
        Assert.Contains("friends.csv cannot be used. Line 3: the quotation mark that opens here is never closed.", report.Headline, StringComparison.Ordinal);
        Assert.Empty(await site.Installation.Database.Mailings.ListAsync(CancellationToken.None));
        Assert.Equal(0, site.Inbox.Count);
        using var editor = await site.EditorAsync();
        var question = await editor.GetStringAsync(new Uri("/hangfire/issues/week-1/send", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Contains("friends.csv cannot be used. Line 3:", question, StringComparison.Ordinal);
        Assert.DoesNotContain("/do/send", question, StringComparison.Ordinal);

        site.Write("subscribers/friends.csv", "email\nfriend@example.com\n");
        Assert.Equal("Sent: week-1, 4 of 4.", (await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name))).Headline);
    }

    [Fact]
    public async Task A_requeued_job_stays_with_its_issue()
    {
        await using var site = await ThreeReadersAsync("week-1", "week-2");
        var desk = new JobDesk(site);
        var job = desk.Trigger(WeeklyDigestJob.Name);
        await desk.EndAsync(job);

        desk.Requeue(job);
        await Eventually.HoldsAsync(() => desk.Report(job)!.Headline.StartsWith("Already", StringComparison.Ordinal), "the job ran again");

        Assert.Equal("Already sent: week-1, 3 of 3; nothing to do.", (await desk.EndAsync(job)).Headline);
        Assert.Equal(3, site.Inbox.Count);
        Assert.Equal("Sent: week-2, 3 of 3.", (await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name))).Headline);
        Assert.Equal(6, site.Inbox.Count);
    }

    [Fact]
    public async Task With_nothing_ready_it_sends_nothing()
    {
        await using var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("subscribers/all.csv", TestSite.List(3));
            folder.Write("issues/week-1.md", TestSite.Issue("One", "draft: true\n"));
            folder.Write("issues/week-2.md", TestSite.Issue("Two", "date: 2999-01-01\n"));
        });
        var desk = new JobDesk(site);

        Assert.Equal("Nothing to send: no issue is ready.", (await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name))).Headline);

        site.Write("issues/week-3.md", "---\ntitle:\n---\n\nHello.\n");
        var refused = await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name), "Failed");
        Assert.True(refused.Refused);
        Assert.Contains("week-3.md:2:", refused.Headline, StringComparison.Ordinal);
        Assert.Equal(0, site.Inbox.Count);
    }

    [Fact]
    public async Task While_an_issue_is_held_nothing_else_is_sent()
    {
        await using var site = await ThreeReadersAsync("week-2");
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com");
        await site.Installation.Database.Mailings.ChangeStateAsync(
            mailing, [MailingState.Sending], MailingState.Paused, "by the editor", TimeProvider.System.GetUtcNow(), CancellationToken.None);
        var desk = new JobDesk(site);
        await Eventually.HoldsAsync(() => site.Inbox.Count <= 1, "what the watch had begun is over");
        var before = site.Inbox.Count;

        var report = await desk.EndAsync(desk.Trigger(WeeklyDigestJob.Name));

        Assert.StartsWith("week-1 is paused", report.Headline, StringComparison.Ordinal);
        Assert.Equal(before, site.Inbox.Count);
    }

    [Fact]
    public async Task The_preview_goes_to_the_editor_alone()
    {
        await using var site = await ThreeReadersAsync("week-1", "week-2");
        var desk = new JobDesk(site);

        var report = await desk.EndAsync(desk.Trigger(PreviewJob.Name));

        Assert.Equal("Preview of week-1 sent to editor@example.com. Subscribers got nothing.", report.Headline);
        var entry = Assert.Single(site.Inbox.Page(0, 10));
        Assert.Equal(["editor@example.com"], entry.Recipients);
        Assert.NotEqual("week-1", entry.Subject);
        Assert.Contains("week-1", entry.Subject, StringComparison.Ordinal);
        Assert.Empty(await site.Installation.Database.Mailings.ListAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData("2025-03-10T12:00:00Z", "2025-03-10T12:01:00Z", false)]
    [InlineData("2025-03-10T12:00:00Z", "2025-03-10T11:59:00Z", true)]
    public void A_trigger_from_before_an_issue_was_finished_means_that_issue(string finished, string triggered, bool belongs)
    {
        Assert.True(IssueSlug.TryParse("week-1", out var slug));
        var at = DateTimeOffset.Parse(finished, System.Globalization.CultureInfo.InvariantCulture);
        var mailing = new Mailing(1, slug, MailingState.Sent, null, [], "", at.AddMinutes(-5), null, at.AddMinutes(-4), at);

        var underWay = WeeklyDigestJob.UnderWay([mailing], DateTimeOffset.Parse(triggered, System.Globalization.CultureInfo.InvariantCulture));

        Assert.Equal(belongs, underWay is not null);
    }

    [Theory]
    [InlineData(MailingState.Scheduled, false, false)]
    [InlineData(MailingState.Paused, false, false)]
    [InlineData(MailingState.Paused, true, true)]
    [InlineData(MailingState.Sending, true, true)]
    public void An_issue_that_waits_for_a_time_of_its_own_holds_up_no_trigger(MailingState state, bool begun, bool belongs)
    {
        Assert.True(IssueSlug.TryParse("week-1", out var slug));
        var now = new DateTimeOffset(2025, 3, 10, 12, 0, 0, TimeSpan.Zero);
        var mailing = new Mailing(1, slug, state, null, [], "", now.AddDays(-1), now.AddDays(7), begun ? now.AddHours(-1) : null, null);

        Assert.Equal(belongs, WeeklyDigestJob.UnderWay([mailing], now) is not null);
    }

    private static Task<TestSite> ThreeReadersAsync(params string[] issues) => TestSite.StartAsync(folder => WriteThreeReaders(folder, issues));

    private static Task<TestSite> ThreeReadersAsync(ScriptedSmtpServer relay, params string[] issues)
        => TestSite.StartAsync(folder => WriteThreeReaders(folder, issues), ("Smtp:Relays:0:Port", $"{relay.Port}"));

    private static void WriteThreeReaders(TemporaryFolder folder, string[] issues)
    {
        folder.Write("subscribers/all.csv", TestSite.List(3));
        foreach (var issue in issues) folder.Write($"issues/{issue}.md", TestSite.Issue(issue));
    }

    private static string[] Received(TestSite site) => [.. site.Inbox.Page(0, 1000).SelectMany(entry => entry.Recipients).Order()];
}
