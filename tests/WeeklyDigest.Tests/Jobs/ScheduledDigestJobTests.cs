using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage.Sqlite;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

public sealed class ScheduledDigestJobTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly DateTimeOffset DueAt = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

    [Fact]
    public async Task A_time_that_has_come_sends_the_oldest_ready_issue_without_anybody_asking()
    {
        await using var site = await SiteAsync("week-1", "week-2");

        await ComeAsync(site);

        await ClosedAsync(site, OccurrenceState.Done);
        await Eventually.HoldsAsync(() => site.Inbox.Count == 2, "it is sent", Limit);
        Assert.Equal((OccurrenceState.Done, "week-1", null), Parts(await FindAsync(site)));
        Assert.Equal("week-1", Assert.Single(await site.Installation.Database.Mailings.ListAsync(CancellationToken.None)).Issue.Value);
    }

    [Fact]
    public async Task Twenty_jobs_for_one_time_and_those_that_come_later_send_one_issue_once()
    {
        await using var site = await SiteAsync("week-1", "week-2");
        var desk = new JobDesk(site);
        var jobs = site.App.Services.GetRequiredService<IBackgroundJobClient>();
        string Enqueue() => jobs.Enqueue<ScheduledDigestJob>(job => job.RunAsync(DueAt, null, CancellationToken.None));

        await ComeAsync(site);
        var all = Enumerable.Range(0, 20).Select(_ => Enqueue()).ToList();
        foreach (var job in all) await desk.EndAsync(job);
        Assert.Equal("Taken up before; nothing to do.", (await desk.EndAsync(Enqueue())).Headline);
        desk.Requeue(all[0]);
        await desk.EndAsync(all[0]);

        Assert.Equal("week-1", Assert.Single(await site.Installation.Database.Mailings.ListAsync(CancellationToken.None)).Issue.Value);
        Assert.Equal(2, site.Inbox.Count);
    }

    [Fact]
    public async Task What_another_run_chose_is_what_is_sent()
    {
        await using var site = await SiteAsync("week-1", "week-2");
        // As a process leaves it that died right after it had chosen.
        using (var connection = SqliteFile.Prepare(Path.Combine(site.Installation.Settings.Paths.Data, "weeklydigest.db")).Open())
            SqliteFile.Execute(connection, $"INSERT INTO occurrence (due_at, state, issue) VALUES ({DueAt.ToUnixTimeMilliseconds()}, 'due', 'week-2')");

        await ClosedAsync(site, OccurrenceState.Done);
        Assert.Equal("week-2", Assert.Single(await site.Installation.Database.Mailings.ListAsync(CancellationToken.None)).Issue.Value);
    }

    // On a list of any size somebody is asked to wait for days; and who holds an issue does not know of the next.
    [Theory]
    [InlineData(MailingState.Sending)]
    [InlineData(MailingState.Paused)]
    [InlineData(MailingState.Sent)]
    public async Task An_issue_that_began_before_the_time_does_not_use_it_up(MailingState state)
    {
        await using var site = await SiteAsync("week-1", "week-2");
        var begun = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com");
        Change(site, begun, state, DueAt.AddHours(-1), finishedAt: DueAt.AddSeconds(1));

        await ComeAsync(site);

        await ClosedAsync(site, OccurrenceState.Done);
        Assert.Equal("week-2", (await FindAsync(site))!.Issue);
        await Eventually.HoldsAsync(() => site.Inbox.Count >= 2, "it is sent", Limit);
    }

    [Theory]
    [InlineData(MailingState.Sending)]
    [InlineData(MailingState.Paused)]
    [InlineData(MailingState.Sent)]
    public async Task An_issue_that_somebody_began_after_the_time_is_the_one_of_that_time(MailingState state)
    {
        await using var site = await SiteAsync("week-1", "week-2");
        var begun = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com");
        Change(site, begun, state, DueAt.AddMilliseconds(1), finishedAt: DueAt.AddSeconds(1));

        await ComeAsync(site);

        await ClosedAsync(site, OccurrenceState.Done);
        Assert.Equal("week-1", (await FindAsync(site))!.Issue);
        Assert.Single(await site.Installation.Database.Mailings.ListAsync(CancellationToken.None));
    }

    [Fact]
    public async Task When_no_issue_is_ready_the_time_passes()
    {
        await using var site = await SiteAsync();
        await ComeAsync(site);
        await ClosedAsync(site, OccurrenceState.Done);
        Assert.Equal((OccurrenceState.Done, null, "No issue was ready."), Parts(await FindAsync(site)));
        var folder = site.Installation.Settings.Paths.Issues;
        await Eventually.HoldsAsync(() => site.HasLogged(line => line.EndsWith($" UTC: no issue was ready in {folder}", StringComparison.Ordinal)), "the log says so", Limit);
        using var editor = await site.EditorAsync();
        var page = await editor.GetStringAsync(new Uri("/hangfire/issues", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Contains(" No issue was ready on ", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_issue_that_cannot_be_sent_is_an_alarm_and_not_tried_for_ever()
    {
        await using var site = await SiteAsync("week-1");
        site.Write("subscribers/broken.csv", "email\nann@example.com\n\"ben@example.com");
        await ComeAsync(site);
        await ClosedAsync(site, OccurrenceState.Refused);
        Assert.Contains("broken.csv cannot be used.", (await FindAsync(site))!.Note, StringComparison.Ordinal);
        using var editor = await site.EditorAsync();
        var page = await editor.GetStringAsync(new Uri("/hangfire/issues", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Contains("Nothing was sent on ", page, StringComparison.Ordinal);
        Assert.Contains("broken.csv cannot be used.", page, StringComparison.Ordinal);
        Assert.Equal(0, site.Inbox.Count);
    }

    // The job of a time that stays due is started each minute, for half a day.
    [Theory]
    [InlineData(typeof(ArgumentOutOfRangeException), true)]
    [InlineData(typeof(InvalidOperationException), true)]
    [InlineData(typeof(NullReferenceException), true)]
    [InlineData(typeof(OperationCanceledException), false)]
    [InlineData(typeof(TaskCanceledException), false)]
    [InlineData(typeof(IOException), false)]
    [InlineData(typeof(FileNotFoundException), false)]
    [InlineData(typeof(UnauthorizedAccessException), false)]
    [InlineData(typeof(TimeZoneNotFoundException), false)]
    [InlineData(typeof(InvalidTimeZoneException), false)]
    public void A_time_ends_with_a_failure_that_comes_again_and_waits_for_what_may_pass(Type failure, bool ends)
        => Assert.Equal(ends, ScheduledDigestJob.Ends((Exception)Activator.CreateInstance(failure)!, CancellationToken.None));

    [Fact]
    public void A_time_does_not_end_with_what_a_server_meets_that_stops()
    {
        Assert.False(ScheduledDigestJob.Ends(new InvalidOperationException(), new CancellationToken(canceled: true)));
        Assert.False(ScheduledDigestJob.Ends(new ObjectDisposedException("the writer"), CancellationToken.None));
    }

    [Fact]
    public async Task The_page_Issues_says_which_issue_the_next_time_will_send()
    {
        await using var site = await SiteAsync("week-1", "week-2");
        using var editor = await site.EditorAsync();
        var next = WeeklySchedule.Next(new Schedule("0 9 * * 1", "UTC", true, DueAt), TimeProvider.System.GetUtcNow())!.Value;
        Assert.Contains("As things stand that is <strong>week-1</strong>.", await IssuesAsync(), StringComparison.Ordinal);

        await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com");
        site.Write("issues/week-2.md", TestSite.Issue("week-2", FormattableString.Invariant($"date: {next.AddDays(1):yyyy-MM-dd}\n")));
        Assert.Contains("None will be ready by then, as things stand.", await IssuesAsync(), StringComparison.Ordinal);

        site.Write("issues/week-2.md", TestSite.Issue("week-2", FormattableString.Invariant($"date: {next:yyyy-MM-dd}\n")));
        Assert.Contains("As things stand that is <strong>week-2</strong>.", await IssuesAsync(), StringComparison.Ordinal);

        await PostAsync(editor, ("cron", "0 9 * * 1"), ("zone", "UTC"));
        Assert.DoesNotContain("As things stand", await IssuesAsync(), StringComparison.Ordinal);

        Task<string> IssuesAsync() => editor.GetStringAsync(new Uri("/hangfire/issues", UriKind.Relative), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_schedule_is_changed_and_switched_off_in_the_dashboard()
    {
        await using var site = await SiteAsync();
        using var editor = await site.EditorAsync();
        Assert.Contains("Minute, hour, day of month", await editor.GetStringAsync(Schedule, TestContext.Current.CancellationToken), StringComparison.Ordinal);

        var refused = await PostAsync(editor, ("cron", "every <monday>"), ("zone", "Mars/Olympus"), ("on", "on"));
        Assert.Contains("&#x27;every &lt;monday&gt;&#x27; is not a schedule", refused, StringComparison.Ordinal);
        Assert.Contains("Mars/Olympus&#x27; is not a time zone", refused, StringComparison.Ordinal);
        Assert.Contains("&#x27;0 0 31 2 *&#x27; is a day that never comes", await PostAsync(editor, ("cron", "0 0 31 2 *"), ("zone", "UTC"), ("on", "on")), StringComparison.Ordinal);
        Assert.Equal("0 9 * * 1", (await site.Installation.Database.Schedules.FindAsync(CancellationToken.None))!.Cron);

        await PostAsync(editor, ("cron", "30 7 * * 5"), ("zone", "Europe/Berlin"), ("on", "on"));
        Assert.Contains("07:30 (Europe/Berlin)", await editor.GetStringAsync(new Uri("/hangfire/issues", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("30 7 * * 5", await editor.GetStringAsync(new Uri("/hangfire/recurring", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);

        await PostAsync(editor, ("cron", "30 7 * * 5"), ("zone", "Europe/Berlin"));
        Assert.Contains("the schedule is off", await editor.GetStringAsync(new Uri("/hangfire/issues", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static Uri Schedule { get; } = new("/hangfire/schedule", UriKind.Relative);

    private static async Task<string> PostAsync(HttpClient editor, params (string Name, string Value)[] fields)
    {
        using var form = TestSite.FormOf(await editor.GetStringAsync(Schedule, TestContext.Current.CancellationToken), fields);
        using var answer = await editor.PostAsync(Schedule, form, TestContext.Current.CancellationToken);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private static Task<TestSite> SiteAsync(params string[] issues) => TestSite.StartAsync(folder =>
    {
        folder.Write("subscribers/readers.csv", TestSite.List(2));
        foreach (var (number, issue) in issues.Index()) folder.Write($"issues/{issue}.md", TestSite.Issue(issue, $"date: 2026-01-0{number + 1}\n"));
    });

    private static async Task ComeAsync(TestSite site)
    {
        var schedules = site.Installation.Database.Schedules;
        // One that was made before the time has come, as an older installation has it.
        var schedule = new Schedule("0 9 * * 1", "UTC", true, DueAt.AddDays(-1));
        await schedules.ChangeAsync(schedule, CancellationToken.None);
        Assert.True(await schedules.AddAsync(new Occurrence(DueAt, OccurrenceState.Due, null, null), schedule, CancellationToken.None));
    }

    // As if its sending had begun at another time than now.
    private static void Change(TestSite site, long mailing, MailingState state, DateTimeOffset startedAt, DateTimeOffset finishedAt)
    {
        var finished = state == MailingState.Sent ? $"{finishedAt.ToUnixTimeMilliseconds()}" : "NULL";
        using var connection = SqliteFile.Prepare(Path.Combine(site.Installation.Settings.Paths.Data, "weeklydigest.db")).Open();
        SqliteFile.Execute(connection, $"UPDATE mailing SET state = '{state.ToString().ToLowerInvariant()}', started_at = {startedAt.ToUnixTimeMilliseconds()}, finished_at = {finished} WHERE id = {mailing}");
    }

    private static Task ClosedAsync(TestSite site, OccurrenceState state)
        => Eventually.HoldsAsync(() => FindAsync(site).Result!.State == state, $"the time is {state}", Limit);

    private static Task<Occurrence?> FindAsync(TestSite site) => site.Installation.Database.Schedules.FindAsync(DueAt, CancellationToken.None);

    private static (OccurrenceState, string?, string?) Parts(Occurrence? occurrence) => (occurrence!.State, occurrence.Issue, occurrence.Note);
}
