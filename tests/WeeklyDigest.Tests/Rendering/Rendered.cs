using WeeklyDigest.Audience;
using WeeklyDigest.Issues;
using WeeklyDigest.Merging;
using WeeklyDigest.Rendering;
using WeeklyDigest.Rendering.Razor;
using WeeklyDigest.Tests.Issues;

namespace WeeklyDigest.Tests.Rendering;

/// <summary>Issues rendered with the templates of the repository, for a newsletter and a recipient that never change.</summary>
internal static class Rendered
{
    public static readonly DateOnly Date = new(2026, 1, 5);

    public static readonly MergeValues Ann = new("Ann", "ann@example.org", new Dictionary<string, string> { ["city"] = "Oslo" }, "https://digest.example/unsubscribe/abc123");

    public static readonly Newsletter Newsletter = new(
        "Weekly Digest", new Mailbox("Weekly Digest", Address("hello@digest.example")), null, new Uri("https://digest.example"),
        "Weekly Digest\n12 Example Street\nExampleton 12345", "en", null);

    private static readonly IssueRenderer Shipped = Renderer(Path.Combine(Workspace.RepositoryRoot, "templates"));

    /// <summary>Renders with the templates of a folder, which this process compiles.</summary>
    public static IssueRenderer Renderer(string templates) => new(templates, ViewLibrary.InProcess);

    public static Issue Read(string file)
    {
        var (issue, findings) = IssueParser.Parse(File.ReadAllBytes(file), Path.GetFileNameWithoutExtension(file));
        Assert.True(issue is not null, string.Join('\n', findings));
        return issue;
    }

    public static Issue WeekOne() => Read(Samples.WeekOne);

    public static Task<RenderedEmail> MailAsync(Issue issue) => Shipped.RenderAsync(issue, Newsletter, Date, TestContext.Current.CancellationToken);

    public static async Task<string> HtmlAsync(Issue issue) => (await MailAsync(issue)).Html.Fill(Ann);

    public static async Task<string> TextAsync(Issue issue) => (await MailAsync(issue)).Text.Fill(Ann);

    public static Task<string> WebAsync(Issue issue) => Shipped.RenderWebAsync(issue, Newsletter, Date, TestContext.Current.CancellationToken);

    /// <summary>Renders with templates of the test's own; those not given are the repository's.</summary>
    public static async Task<RenderedEmail> WithTemplatesAsync(Issue issue, params (string File, string Text)[] templates)
    {
        using var folder = new TemporaryFolder();
        foreach (var file in Directory.GetFiles(Path.Combine(Workspace.RepositoryRoot, "templates"))) File.Copy(file, folder.File(Path.GetFileName(file)));
        foreach (var (file, text) in templates) folder.Write(file, text);
        return await Renderer(folder.Path).RenderAsync(issue, Newsletter, Date, TestContext.Current.CancellationToken);
    }

    private static EmailAddress Address(string text) => EmailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);
}
