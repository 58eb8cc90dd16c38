using System.Text;
using WeeklyDigest.Audience;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Rendering;

namespace WeeklyDigest.Tests.Publishing;

public sealed class PublishIssueTests : IAsyncDisposable
{
    private static readonly DateTimeOffset Morning = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private readonly ManualClock clock = new(Morning);
    private readonly EnginePlace place;

    public PublishIssueTests() => place = EnginePlace.Open(time: clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => place.DisposeAsync();

    [Fact]
    public async Task A_first_publishing_freezes_the_content_and_adds_every_list()
    {
        await ImportAsync("readers", 1, 10);
        await ImportAsync("friends", 8, 15);
        var result = await PublishAsync(Issue());

        Assert.Equal((true, 15L, false), (result.Created, result.Added, result.ContentIsFrozen));
        var mailing = await place.Database.Mailings.FindAsync(result.MailingId, Cancel);
        var content = await place.Database.Mailings.ContentAsync(result.MailingId, Cancel);
        Assert.Equal(["friends", "readers"], mailing!.Lists.Select(list => list.Value).Order());
        Assert.Equal(("Week 7", "/posts/week-7", Morning), (content.Title, content.Permalink, content.Date));
        Assert.Contains("Hello there", content.WebHtml, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publishing_again_adds_nobody_and_says_when_the_file_has_changed()
    {
        await ImportAsync("readers", 1, 10);
        var first = await PublishAsync(Issue());
        await ImportAsync("readers", 11, 20);
        clock.Advance(TimeSpan.FromDays(2));

        Assert.Equal(first with { Created = false, Added = 0 }, await PublishAsync(Issue()));
        Assert.Equal(first with { Created = false, Added = 0, ContentIsFrozen = true }, await PublishAsync(Issue(body: "Something else.")));
    }

    [Fact]
    public async Task The_same_file_under_another_name_is_refused_unless_nobody_can_have_got_it()
    {
        await ImportAsync("readers", 1, 10);
        var first = await PublishAsync(File("week-2", "---\ntitle: Two\n---\nHello.\n"));
        var copy = File("week-9", "---\ntitle: Two\n---\nHello.\n");

        Assert.Equal(
            "week-9 has the same content as week-2, which was published at 2026-03-02 08:00:00 +00:00, is sending, and was sent to 0 of 10. `weeklydigest send week-2` goes on with it. To send it anew all the same, change its text. Nothing was published.",
            await RefusedAsync(copy));
        Assert.Single(await place.Database.Mailings.ListAsync(Cancel));

        Assert.True((await PublishAsync(File("week-9", "---\ntitle: Two\n---\nHello again.\n"))).Created);
        await place.Database.Mailings.ChangeStateAsync(first.MailingId, [MailingState.Sending], MailingState.Cancelled, null, Morning, Cancel);
        Assert.True((await PublishAsync(File("week-10", "---\ntitle: Two\n---\nHello.\n"))).Created);
    }

    [Fact]
    public async Task Naming_a_list_extends_a_published_issue_by_those_who_are_not_in_it()
    {
        await ImportAsync("readers", 1, 10);
        await PublishAsync(Issue());
        await ImportAsync("friends", 5, 14);

        var extended = await PublishAsync(Issue(), "friends");
        Assert.Equal((false, 4L), (extended.Created, extended.Added));
        Assert.Equal(0, (await PublishAsync(Issue(), "friends")).Added);
    }

    [Fact]
    public async Task The_issues_own_lists_count_unless_one_is_named()
    {
        await ImportAsync("readers", 1, 10);
        await ImportAsync("friends", 11, 13);
        Assert.Equal(3, (await PublishAsync(Issue(more: "lists: [friends]"))).Added);
        Assert.Equal(10, (await PublishAsync(Issue("week-8", more: "lists: [friends]"), "readers")).Added);
    }

    [Fact]
    public async Task An_issue_with_errors_is_refused_with_every_finding_at_its_place()
    {
        await ImportAsync("readers", 1, 1);
        var failure = await RefusedAsync(File("broken", "---\ntitle: \n---\n\nHello {{ nmae }}\n\n### Entry\n[a]()\n"));
        Assert.Contains("issues/broken.md:2:", failure, StringComparison.Ordinal);
        Assert.Contains("error title-", failure, StringComparison.Ordinal);
        Assert.Contains("issues/broken.md:5:7: error ", failure, StringComparison.Ordinal);
        Assert.Empty(await place.Database.Mailings.ListAsync(Cancel));
    }

    [Fact]
    public async Task A_draft_is_refused_with_what_to_do()
    {
        await ImportAsync("readers", 1, 1);
        Assert.Contains("remove 'draft: true'", await RefusedAsync(Issue(more: "draft: true")), StringComparison.Ordinal);
        Assert.Empty(await place.Database.Mailings.ListAsync(Cancel));
    }

    [Fact]
    public async Task Lists_that_do_not_exist_or_are_empty_are_refused()
    {
        Assert.Contains("no list yet", await RefusedAsync(Issue()), StringComparison.Ordinal);
        await ImportAsync("readers", 1, 1);
        Assert.Contains("There is no list nobody; there are: readers.", await RefusedAsync(Issue(), "nobody"), StringComparison.Ordinal);
        Assert.Contains("There is no list ghosts", await RefusedAsync(Issue(more: "lists: [ghosts]")), StringComparison.Ordinal);
        var reader = await place.Database.Subscribers.FindAsync(EnginePlace.Address("r1@example.org"), Cancel);
        await place.Database.Subscribers.UnsubscribeAsync(reader!.Id, "test", Cancel);
        Assert.Contains("No active subscriber is on readers", await RefusedAsync(Issue()), StringComparison.Ordinal);
        Assert.Empty(await place.Database.Mailings.ListAsync(Cancel));
    }

    [Fact]
    public async Task A_time_to_come_schedules_and_a_time_gone_by_starts_at_once()
    {
        await ImportAsync("readers", 1, 2);
        var later = await PublishAsync(Issue(), at: Morning.AddHours(3));
        var scheduled = await place.Database.Mailings.FindAsync(later.MailingId, Cancel);
        Assert.Equal((MailingState.Scheduled, Morning.AddHours(3)), (scheduled!.State, scheduled.ScheduledAt));
        Assert.Equal(Morning.AddHours(3), (await place.Database.Mailings.ContentAsync(later.MailingId, Cancel)).Date);

        var past = await PublishAsync(Issue("week-8"), at: Morning.AddHours(-3));
        Assert.Null((await place.Database.Mailings.FindAsync(past.MailingId, Cancel))!.ScheduledAt);
    }

    [Fact]
    public async Task A_scheduled_mailing_starts_when_its_time_has_come()
    {
        await ImportAsync("readers", 1, 2);
        var mailing = (await PublishAsync(Issue(), at: Morning.AddHours(3))).MailingId;
        var process = place.Start();
        Assert.Equal(MailingState.Scheduled, (await process.RunAsync(mailing)).State);
        Assert.Equal(0, place.Server.AcceptedCount);

        clock.Advance(TimeSpan.FromHours(3));
        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing)).State);
        Assert.Equal(2, (await place.ReconcileAsync(mailing)).Sent);
    }

    [Fact]
    public async Task An_extended_mailing_that_was_sent_goes_on_for_the_new_ones()
    {
        await ImportAsync("readers", 1, 10);
        var mailing = (await PublishAsync(Issue())).MailingId;
        var process = place.Start();
        await process.RunAsync(mailing);
        await ImportAsync("friends", 5, 14);
        await PublishAsync(Issue(), "friends");

        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing)).State);
        Assert.Equal(14, (await place.ReconcileAsync(mailing)).Sent);
    }

    [Fact]
    public async Task A_list_file_that_breaks_between_the_look_and_the_import_keeps_the_issue_back()
    {
        await ImportAsync("readers", 1, 5);
        Directory.CreateDirectory(ListsFolder);
        var file = Path.Combine(ListsFolder, "friends.csv");
        await System.IO.File.WriteAllTextAsync(file, "email\na@example.org\n", Cancel);
        // The clock is asked when all has been looked at, and nothing was written.
        var breaking = new ActingClock(() => System.IO.File.WriteAllText(file, "email\n\"a@example.org\n"));
        var refusal = await Assert.ThrowsAsync<RefusedException>(() => PublishAsync(Issue(), time: breaking));
        Assert.Contains("friends.csv cannot be used.", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(await place.Database.Mailings.ListAsync(Cancel));
    }

    [Fact]
    public async Task Twenty_at_once_publish_once()
    {
        await ImportAsync("readers", 1, 50);
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => PublishAsync(Issue()))));
        Assert.Equal(50, results.Sum(result => result.Added));
        Assert.Single(results.Select(result => result.MailingId).Distinct());
        Assert.Single(results, result => result.Created);
    }

    private string ListsFolder => Path.Combine(place.DataFolder, "subscribers");

    private Task<PublishResult> PublishAsync(IssueFile issue, string? list = null, DateTimeOffset? at = null, TimeProvider? time = null)
    {
        var publish = new PublishIssue(
            place.Database.Mailings, place.Database.Subscribers, new SyncLists(place.Database.Subscribers, ListsFolder, time ?? clock), Rendered.Renderer(Path.Combine(Workspace.RepositoryRoot, "templates")), Rendered.Newsletter, time ?? clock);
        return publish.RunAsync(issue, list is null ? null : EnginePlace.List(list), at, _ => Task.CompletedTask, Cancel);
    }

    private async Task<string> RefusedAsync(IssueFile issue, string? list = null)
        => (await Assert.ThrowsAsync<RefusedException>(() => PublishAsync(issue, list))).Message;

    private Task<ImportCounts> ImportAsync(string list, int first, int last) => place.Database.Subscribers.ImportAsync(
        EnginePlace.List(list),
        Enumerable.Range(first, last - first + 1).Select(i => new SubscriberRow(i, EnginePlace.Address($"r{i}@example.org"), null, new Dictionary<string, string>())),
        Cancel);

    internal static IssueFile Issue(string name = "week-7", string body = "Some words.", string more = "")
        => File(name, $"---\ntitle: {name[..1].ToUpperInvariant()}{name[1..].Replace('-', ' ')}\n{more}\n---\n\nHello {{{{ name | there }}}}. {body}\n\n### An entry\n\nText.\n");

    private static IssueFile File(string name, string text)
    {
        var (issue, findings) = IssueParser.Parse(Encoding.UTF8.GetBytes(text), name);
        return new IssueFile($"issues/{name}.md", issue?.Slug.Value ?? name, issue, findings);
    }

    /// <summary>Does something whenever somebody asks for the time.</summary>
    private sealed class ActingClock(Action act) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow()
        {
            act();
            return Morning;
        }
    }
}
