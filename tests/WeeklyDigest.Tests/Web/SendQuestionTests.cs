using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Web;

/// <summary>The page before an issue is sent: whom it counts, and that it only looks.</summary>
public sealed class SendQuestionTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    // A browser may load it before anybody wants it, while somebody saves the file.
    [Fact]
    public async Task Counts_the_lists_and_tells_of_changed_files_but_imports_none()
    {
        await using var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("issues/week-1.md", TestSite.Issue("First"));
            folder.Write("subscribers/readers.csv", TestSite.List(1200));
        });
        var database = site.Installation.Database;
        using var editor = await site.EditorAsync();

        var first = await AskAsync(editor);
        Assert.Contains("Send to up to 1,200 subscribers", first, StringComparison.Ordinal);
        Assert.Contains("Lists: readers (new)", first, StringComparison.Ordinal);
        Assert.Empty(await database.Subscribers.ListsAsync(Cancel));

        await site.Installation.SyncLists.RunAsync(WantedLists.Every, Cancel);
        var known = await AskAsync(editor);
        Assert.Contains("Send to 1,200 subscribers", known, StringComparison.Ordinal);
        Assert.DoesNotContain("has changed", known, StringComparison.Ordinal);

        site.Write("subscribers/readers.csv", TestSite.List(2));
        var changed = await AskAsync(editor);
        Assert.Contains("Send to up to 1,202 subscribers", changed, StringComparison.Ordinal);
        Assert.Contains("readers.csv is new or has changed, and is read first: whoever it adds (2 at most) gets the issue as well.", changed, StringComparison.Ordinal);
        Assert.Contains("Lists: readers (1,200)", changed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nobody_is_on_a_list_or_in_a_file_it_says_so()
    {
        await using var site = await TestSite.StartAsync(folder => folder.Write("issues/week-1.md", TestSite.Issue("First")));
        using var editor = await site.EditorAsync();
        Assert.Contains("No subscriber is on its lists", await AskAsync(editor), StringComparison.Ordinal);
    }

    private static Task<string> AskAsync(HttpClient editor) => editor.GetStringAsync(new Uri("/hangfire/issues/week-1/send", UriKind.Relative), Cancel);
}
