using System.Net;
using Microsoft.Playwright;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Jobs;

namespace WeeklyDigest.Tests.Web;

/// <summary>What the page Issues says and previews of an issue whose file was edited, spoilt or removed after it was published.</summary>
public sealed class ChangedFilePageTests(Browser browser)
{
    private const string Goes = "what goes out is what was published.";
    private const string AnotherTime = "Change time… gives it another time and takes it as it is";

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Second", $"It has changed since it was published; {Goes} {AnotherTime} now.")]
    [InlineData("", $"It has errors now; {Goes} Once they are mended, {AnotherTime} then.")]
    [InlineData(null, $"Its file is gone; {Goes} Once it is back, {AnotherTime} then.")]
    public async Task A_mailing_shows_and_previews_what_was_published_and_says_what_became_of_its_file(string? title, string expected)
    {
        await using var site = await ScheduledAsync();
        Change(site, title);
        var page = await browser.OpenAsync(width: 360);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues");
        var row = page.GetByRole(AriaRole.Article, new() { Name = "week-1" });
        await Assertions.Expect(row.Locator("h2")).ToHaveTextAsync("First");
        await Assertions.Expect(row).ToContainTextAsync(expected);
        Assert.Empty(await Axe.ViolationsAsync(page, ".js-page-container"));
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Preview week-1" }).ClickAsync();
        await page.Locator("#wd-report[data-done=true]").WaitForAsync(new() { Timeout = 60_000 });
        var report = page.Locator("#wd-report");
        await Assertions.Expect(report).ToContainTextAsync("Preview of week-1 as it was published sent to editor@example.com. Subscribers got nothing.");
        await Assertions.Expect(report).ToContainTextAsync(expected);
        Assert.Equal("[Preview] First", Assert.Single(site.Inbox.Page(0, 5)).Subject);
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task A_template_that_cannot_be_read_counts_as_changed_and_the_page_can_still_cancel()
    {
        await using var site = await ScheduledAsync();
        site.SpoilTemplate();
        using var editor = await site.EditorAsync();
        var page = await IssuesAsync(editor);
        Assert.Contains(Goes, page, StringComparison.Ordinal);
        Assert.Contains("Cancel", page, StringComparison.Ordinal);

        var time = new Uri("/hangfire/issues/week-1/time", UriKind.Relative);
        using var form = TestSite.FormOf(await editor.GetStringAsync(time, Cancel), ("at", "2050-01-11T09:00"));
        using var answer = await editor.PostAsync(time, form, Cancel);
        Assert.Contains("styles.css", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(Workspace.Later, Assert.Single(await site.Installation.Database.Mailings.ListAsync(Cancel)).ScheduledAt);
    }

    [Fact]
    public async Task A_mailing_that_is_over_keeps_its_title_and_is_told_nothing_of_its_file()
    {
        await using var site = await ScheduledAsync();
        using var editor = await site.EditorAsync();
        var before = await IssuesAsync(editor);
        Assert.Contains("<h2>First</h2>", before, StringComparison.Ordinal);
        Assert.DoesNotContain(Goes, before, StringComparison.Ordinal);
        var mailings = site.Installation.Database.Mailings;
        Assert.True(await mailings.ChangeStateAsync((await mailings.ListAsync(Cancel))[0].Id, [MailingState.Scheduled], MailingState.Cancelled, null, TimeProvider.System.GetUtcNow(), Cancel));
        foreach (var title in new[] { "Second", "", null })
        {
            Change(site, title);
            var page = await IssuesAsync(editor);
            Assert.Contains("<h2>First</h2>", page, StringComparison.Ordinal);
            Assert.DoesNotContain(Goes, page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_page_follows_the_file_and_the_mailing()
    {
        await using var site = await ScheduledAsync();
        using var editor = await site.EditorAsync();
        foreach (var (title, differs) in new[] { ("Second", true), ("Second", true), ("First", false), ("Third", true) })
        {
            Change(site, title);
            Assert.Equal(differs, (await IssuesAsync(editor)).Contains(Goes, StringComparison.Ordinal));
        }
        var mailing = (await site.Installation.Database.Mailings.ListAsync(Cancel))[0];
        await site.Installation.RescheduleIssue.RunAsync(site.Installation.Issues.Find("week-1")!, mailing, Workspace.Later.AddDays(1), Cancel);
        var page = await IssuesAsync(editor);
        Assert.Contains("<h2>Third</h2>", page, StringComparison.Ordinal);
        Assert.DoesNotContain(Goes, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_preview_of_the_next_issue_is_of_what_was_published_too()
    {
        await using var site = await ScheduledAsync();
        Change(site, "Second");
        var desk = new JobDesk(site);
        Assert.Equal("Preview of week-1 as it was published sent to editor@example.com. Subscribers got nothing.", (await desk.EndAsync(desk.Trigger(PreviewJob.Name))).Headline);
        Assert.Equal("[Preview] First", Assert.Single(site.Inbox.Page(0, 5)).Subject);
    }

    private static async Task<string> IssuesAsync(HttpClient editor) => WebUtility.HtmlDecode(await editor.GetStringAsync(new Uri("/hangfire/issues", UriKind.Relative), Cancel));

    // No title is an error; null removes the file.
    private static void Change(TestSite site, string? title)
    {
        if (title is null) File.Delete(site.Installation.Issues.Find("week-1")!.Path);
        else site.Write("issues/week-1.md", TestSite.Issue(title));
    }

    private static async Task<TestSite> ScheduledAsync()
    {
        var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("subscribers/sample.csv", TestSite.List(2));
            folder.Write("issues/week-1.md", TestSite.Issue("First"));
        });
        await site.Installation.PublishIssue.RunAsync(site.Installation.Issues.Find("week-1")!, null, Workspace.Later, _ => Task.CompletedTask, Cancel);
        return site;
    }
}
