namespace WeeklyDigest.Tests.Documentation;

public sealed class LinkTests
{
    public static TheoryData<string> Pages => new(DocumentationPage.All);

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_between_our_files_leads_somewhere(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Workspace.RepositoryRoot, page))!;
        var local = new DocumentationPage(page).Links.Where(link => !link.Contains("://", StringComparison.Ordinal) && !link.StartsWith('#') && !link.StartsWith("mailto:", StringComparison.Ordinal));
        Assert.All(local, link => Assert.True(Path.Exists(Path.Combine(folder, Uri.UnescapeDataString(link.Split('#')[0]))), $"{page} links to {link}"));
    }
}
