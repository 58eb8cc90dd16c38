using System.Text.RegularExpressions;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Web;

/// <summary>What the page Issues shows first, of more issues than it has room for.</summary>
public sealed partial class IssuesPageOrderTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_issue_that_is_under_way_comes_first_however_old_until_it_is_over()
    {
        await using var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("subscribers/sample.csv", TestSite.List(2));
            for (var week = 1; week <= 30; week++) folder.Write($"issues/week-{week}.md", TestSite.Issue($"Issue {week}"));
        });
        using var editor = await site.EditorAsync();
        Assert.Equal(["Issue 30", "Issue 29"], (await TitlesAsync()).Take(2));

        foreach (var week in new[] { 2, 1 })
            await site.Installation.PublishIssue.RunAsync(site.Installation.Issues.Find($"week-{week}")!, null, Workspace.Later, _ => Task.CompletedTask, Cancel);
        Assert.Equal(["Issue 2", "Issue 1", "Issue 30"], (await TitlesAsync()).Take(3));

        var mailings = site.Installation.Database.Mailings;
        foreach (var mailing in await mailings.ListAsync(Cancel))
            Assert.True(await mailings.ChangeStateAsync(mailing.Id, [MailingState.Scheduled], MailingState.Cancelled, null, TimeProvider.System.GetUtcNow(), Cancel));
        Assert.Equal(["Issue 30", "Issue 29"], (await TitlesAsync()).Take(2));

        async Task<IEnumerable<string>> TitlesAsync()
            => Heading().Matches(await editor.GetStringAsync(new Uri("/hangfire/issues", UriKind.Relative), Cancel)).Select(match => match.Groups[1].Value);
    }

    [GeneratedRegex("<h2>(Issue [0-9]+)</h2>")]
    private static partial Regex Heading();
}
