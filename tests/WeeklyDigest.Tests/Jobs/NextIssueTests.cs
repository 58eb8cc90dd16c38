using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

public sealed class NextIssueTests : IDisposable
{
    private static readonly DateOnly Today = new(2025, 3, 10);
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Is_the_oldest_that_was_not_published()
    {
        Write("week-1", "date: 2025-03-01");
        Write("week-2", "date: 2025-03-08");
        Write("week-10", "");

        Assert.Equal("week-1", Choose().File!.Slug);
        Assert.Equal("week-2", Choose("week-1").File!.Slug);
        Assert.Equal("week-10", Choose("week-1", "week-2").File!.Slug);
        Assert.Null(Choose("week-1", "week-2", "week-10").File);
    }

    [Theory]
    [InlineData("draft: true")]
    [InlineData("date: 2025-03-11")]
    public void A_draft_and_an_issue_of_a_later_date_are_not_ready(string frontMatter)
    {
        Write("week-1", frontMatter);
        Assert.Null(Choose().File);
        Write("week-2", "date: 2025-03-10");
        Assert.Equal("week-2", Choose().File!.Slug);
    }

    [Fact]
    public void A_broken_file_is_not_ready_and_blocks_nobody_but_is_named()
    {
        folder.Write("issues/week-1.md", "---\ntitle:\n---\n\nHello.\n");
        Write("week-2", "");

        var next = Choose();

        Assert.Equal("week-2", next.File!.Slug);
        Assert.StartsWith("week-1.md:2:", NextIssue.ErrorsOf(Assert.Single(next.Broken)), StringComparison.Ordinal);
    }

    private NextIssue Choose(params string[] published) => NextIssue.Choose(new IssueLibrary(folder.File("issues")).All(), published.ToHashSet(), Today);

    private void Write(string name, string frontMatter) => folder.Write($"issues/{name}.md", TestSite.Issue(name, frontMatter.Length > 0 ? frontMatter + "\n" : ""));
}
