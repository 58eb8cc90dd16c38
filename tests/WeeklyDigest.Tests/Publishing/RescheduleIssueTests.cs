using System.Text;
using WeeklyDigest.Audience;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Tests.Relays;
using WeeklyDigest.Tests.Rendering;

namespace WeeklyDigest.Tests.Publishing;

public sealed class RescheduleIssueTests : IAsyncDisposable
{
    private static readonly DateTimeOffset Morning = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Old = Morning.AddHours(1);
    private static readonly DateTimeOffset New = Morning.AddDays(2).AddMinutes(30);
    private readonly ManualClock clock = new(Morning);
    private readonly IssueRenderer renderer = Rendered.Renderer(Path.Combine(Workspace.RepositoryRoot, "templates"));
    private readonly EnginePlace place;

    public RescheduleIssueTests() => place = EnginePlace.Open(new ScriptedSmtpOptions { KeepBytes = true }, time: clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => place.DisposeAsync();

    [Fact]
    public async Task Date_header_and_the_day_shown_are_those_of_the_new_time_and_nothing_goes_out_before_it()
    {
        var mailing = await ScheduledAsync();
        Assert.Equal(new RescheduleResult(Old, New, ContentIsNew: false), await RescheduleAsync(mailing, PublishIssueTests.Issue()));

        var process = place.Start();
        clock.Advance(Old - Morning);
        Assert.Equal(MailingState.Scheduled, (await process.RunAsync(mailing.Id)).State);
        Assert.Equal(0, place.Server.AcceptedCount);

        clock.Advance(New - Old);
        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing.Id)).State);
        Assert.Equal(2, (await place.ReconcileAsync(mailing.Id)).Sent);
        Assert.All(place.Server.Accepted, message =>
        {
            var text = Encoding.UTF8.GetString(message.Bytes.Span);
            Assert.Contains("\r\nDate: Wed, 04 Mar 2026 08:30:00 +0000\r\n", text, StringComparison.Ordinal);
            Assert.Contains("4 March 2026", text, StringComparison.Ordinal);
            Assert.DoesNotContain("2 March 2026", text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task What_was_changed_in_the_file_since_goes_out_and_is_told_and_who_gets_it_stays()
    {
        var mailing = await ScheduledAsync();
        await ImportAsync("r3@example.org");
        Assert.True((await RescheduleAsync(mailing, PublishIssueTests.Issue(body: "Other words."))).ContentIsNew);
        Assert.Contains("Other words.", (await place.Database.Mailings.ContentAsync(mailing.Id, Cancel)).WebHtml, StringComparison.Ordinal);
        Assert.Equal(2, (await place.BalanceAsync(mailing.Id)).Total);
    }

    [Fact]
    public async Task A_past_time_an_issue_with_errors_and_a_draft_are_refused_and_change_nothing()
    {
        var mailing = await ScheduledAsync();
        Assert.Equal(
            "2026-03-02 08:00:00 +00:00 is in the past; week-7 stays scheduled for 2026-03-02 09:00:00 +00:00.",
            await RefusedAsync(mailing, PublishIssueTests.Issue(), Morning));
        Assert.Contains("issues/week-7.md:6:", await RefusedAsync(mailing, PublishIssueTests.Issue(body: "{{ nmae }}"), New), StringComparison.Ordinal);
        Assert.Contains("remove 'draft: true'", await RefusedAsync(mailing, PublishIssueTests.Issue(more: "draft: true"), New), StringComparison.Ordinal);
        Assert.Equal(Old, (await place.Database.Mailings.ContentAsync(mailing.Id, Cancel)).Date);
    }

    [Fact]
    public async Task One_that_begins_while_its_content_is_made_goes_out_as_it_was()
    {
        var mailing = await ScheduledAsync();
        clock.Advance(Old - Morning);
        Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing.Id, [MailingState.Scheduled], MailingState.Sending, null, Old, Cancel));
        Assert.Equal(
            "week-7 is sending; only a mailing that has not begun can be given another time. Nothing was changed. `weeklydigest pause week-7` holds back what has not gone out.",
            await RefusedAsync(mailing, PublishIssueTests.Issue(), New));
        Assert.Equal(Old, (await place.Database.Mailings.ContentAsync(mailing.Id, Cancel)).Date);
    }

    private async Task<Mailing> ScheduledAsync()
    {
        await ImportAsync("r1@example.org", "r2@example.org");
        var publish = new PublishIssue(
            place.Database.Mailings, place.Database.Subscribers, new SyncLists(place.Database.Subscribers, Path.Combine(place.DataFolder, "subscribers"), clock), renderer, Rendered.Newsletter, clock);
        var published = await publish.RunAsync(PublishIssueTests.Issue(), null, Old, _ => Task.CompletedTask, Cancel);
        return (await place.Database.Mailings.FindAsync(published.MailingId, Cancel))!;
    }

    private Task<ImportCounts> ImportAsync(params string[] addresses) => place.Database.Subscribers.ImportAsync(
        EnginePlace.List("readers"), addresses.Select(address => new SubscriberRow(1, EnginePlace.Address(address), null, new Dictionary<string, string>())), Cancel);

    private Task<RescheduleResult> RescheduleAsync(Mailing mailing, IssueFile issue, DateTimeOffset? at = null)
        => new RescheduleIssue(place.Database.Mailings, renderer, Rendered.Newsletter, clock).RunAsync(issue, mailing, at ?? New, Cancel);

    private async Task<string> RefusedAsync(Mailing mailing, IssueFile issue, DateTimeOffset at)
        => (await Assert.ThrowsAsync<RefusedException>(() => RescheduleAsync(mailing, issue, at))).Message;
}
