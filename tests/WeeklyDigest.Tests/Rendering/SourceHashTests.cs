namespace WeeklyDigest.Tests.Rendering;

/// <summary>Whatever changes a rendering changes the hash of its sources.</summary>
public sealed class SourceHashTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private readonly TemporaryFolder templates = new();

    public SourceHashTests()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Workspace.RepositoryRoot, "templates"))) File.Copy(file, templates.File(Path.GetFileName(file)));
    }

    public void Dispose() => templates.Dispose();

    [Fact]
    public async Task The_same_sources_give_the_same_hash()
    {
        Assert.Equal(await HashAsync(), await HashAsync());
        Assert.Matches("^[0-9a-f]{64}$", await HashAsync());
    }

    [Theory]
    [InlineData("issue.cshtml")]
    [InlineData("issue.text.cshtml")]
    [InlineData("styles.css")]
    public async Task A_changed_template_gives_another(string file)
    {
        var before = await HashAsync();
        await File.AppendAllTextAsync(templates.File(file), "\n", Cancel);
        Assert.NotEqual(before, await HashAsync());
    }

    [Fact]
    public async Task Another_issue_newsletter_or_date_gives_another()
    {
        var renderer = Rendered.Renderer(templates.Path);
        var issue = Rendered.WeekOne();
        Assert.NotEqual(await HashAsync(), await renderer.SourceHashAsync(issue with { Hash = "other" }, Rendered.Newsletter, Rendered.Date, Cancel));
        Assert.NotEqual(await HashAsync(), await renderer.SourceHashAsync(issue, Rendered.Newsletter with { PostalAddress = "Elsewhere" }, Rendered.Date, Cancel));
        Assert.NotEqual(await HashAsync(), await renderer.SourceHashAsync(issue, Rendered.Newsletter, Rendered.Date.AddDays(1), Cancel));
    }

    private Task<string> HashAsync() => Rendered.Renderer(templates.Path).SourceHashAsync(Rendered.WeekOne(), Rendered.Newsletter, Rendered.Date, Cancel);
}
