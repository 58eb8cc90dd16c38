using System.Text;
using System.Text.RegularExpressions;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using WeeklyDigest.Issues;
using WeeklyDigest.Tests.Issues;

namespace WeeklyDigest.Tests.Rendering;

public sealed partial class WeekOneRenderingTests
{
    public static TheoryData<string> WeekOnes() => [Samples.WeekOne, .. Samples.Seeds().Where(file => Path.GetFileName(file) == "week-1.md")];

    [Theory]
    [MemberData(nameof(WeekOnes))]
    public async Task Both_parts_carry_every_link(string file)
    {
        var issue = Rendered.Read(file);
        var urls = Urls(issue).ToList();
        Assert.Equal(17, urls.Count);
        var html = System.Net.WebUtility.HtmlDecode(await Rendered.HtmlAsync(issue));
        var text = await Rendered.TextAsync(issue);
        Assert.All(urls, url => Assert.Contains($"href=\"{url}\"", html, StringComparison.Ordinal));
        Assert.All(urls, url => Assert.Contains(url, text, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(WeekOnes))]
    public async Task Is_far_below_what_Gmail_clips(string file)
        => Assert.InRange(Encoding.UTF8.GetByteCount(await Rendered.HtmlAsync(Rendered.Read(file))), 10_000, 45_000);

    [Fact]
    public async Task Text_lines_are_as_narrow_as_their_addresses_allow()
    {
        var text = await Rendered.TextAsync(Rendered.WeekOne());
        Assert.All(text.Split('\n').Where(line => !Address().IsMatch(line)), line => Assert.InRange(line.Length, 0, 72));
    }

    [Fact]
    public async Task Footer_says_who_why_and_how_to_leave()
    {
        var mail = await Rendered.MailAsync(Rendered.WeekOne());
        foreach (var part in new[] { mail.Html.Fill(Rendered.Ann), mail.Text.Fill(Rendered.Ann) })
        {
            Assert.Contains("ann@example.org", part, StringComparison.Ordinal);
            Assert.Contains("https://digest.example/unsubscribe/abc123", part, StringComparison.Ordinal);
            Assert.Contains("https://digest.example/posts/week-1-the-hardware-lottery-and-numpy-and-more", part, StringComparison.Ordinal);
            Assert.Contains("12 Example Street", part, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Same_input_gives_the_same_hash()
        => Assert.Equal((await Rendered.MailAsync(Rendered.WeekOne())).Hash, (await Rendered.MailAsync(Rendered.WeekOne())).Hash);

    private static IEnumerable<string> Urls(Issue issue)
    {
        var blocks = issue.Intro.Concat(issue.Entries.SelectMany(entry => entry.Blocks)).Select(block => block.Block);
        return issue.Entries.SelectMany(entry => entry.Links).Select(link => link.Url)
            .Concat(blocks.OfType<LeafBlock>().SelectMany(block => block.Inline!.FindDescendants<LinkInline>()).Select(link => link.Url!));
    }

    [GeneratedRegex("https?://")]
    private static partial Regex Address();
}
