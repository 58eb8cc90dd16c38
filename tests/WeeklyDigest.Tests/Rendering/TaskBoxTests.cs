using AngleSharp.Html.Parser;
using WeeklyDigest.Tests.Issues;

namespace WeeklyDigest.Tests.Rendering;

/// <summary>Task boxes as GitHub takes them: at the very start of an item, before white space; all else in brackets is a link or text.</summary>
public sealed class TaskBoxTests
{
    private const string Link = """<a href="https://x.example/eta">""";

    [Theory]
    [InlineData("- [ ] task", "☐ task", "- [ ] task")]
    [InlineData("- [x] done", "☑ done", "- [x] done")]
    [InlineData("1. [X] done", "☑ done", "1. [x] done")]
    [InlineData("-   [x]\tdone", "☑ done", "- [x]\tdone")]
    [InlineData("> - [x] done", "☑ done", "> - [x] done")]
    [InlineData("- [x] [x](https://x.example/eta)", $"☑ {Link}x</a>", "- [x] x [1]")]
    [InlineData("- [x] done\n\n[x]: https://x.example/eta", "☑ done", "- [x] done")]
    [InlineData("- [ ]", "☐", "- [ ]")]
    [InlineData("- [ ]\n  task", "☐ task", "- [ ] task")]
    public Task A_box_opens_an_item_and_white_space_follows_it(string markdown, string html, string text) => ComesOut(markdown, html, text);

    [Theory]
    [InlineData("- [X](https://x.example/eta) on X", $"{Link}X</a> on X", "- X [1] on X")]
    [InlineData("- **[x](https://x.example/eta)**", $"<strong>{Link}x</a></strong>", "- *x [1]*")]
    [InlineData("- see [x](https://x.example/eta)", $"see {Link}x</a>", "- see x [1]")]
    [InlineData("- [x][] on X\n\n[x]: https://x.example/eta", $"{Link}x</a> on X", "- x [1] on X")]
    [InlineData("- on [x] too\n\n[x]: https://x.example/eta", $"on {Link}x</a> too", "- on x [1] too")]
    [InlineData("- [the [x] of it](https://x.example/eta)", $"{Link}the [x] of it</a>", "- the [x] of it [1]")]
    public Task A_link_stays_a_link_whatever_its_words(string markdown, string html, string text) => ComesOut(markdown, html, text);

    [Theory]
    [InlineData("- see [x] and a[ ] b", "see [x] and a[ ] b")]
    [InlineData("- [ ]task", "[ ]task")]
    [InlineData("- *[x] done*", "<em>[x] done</em>", "- _[x] done_")]
    [InlineData("- \\[x] done", "[x] done")]
    [InlineData("- a\n  [x] b", "a [x] b", "- a [x] b")]
    [InlineData("- [x] a [ ] b", "☑ a [ ] b")]
    public Task Brackets_elsewhere_are_text(string markdown, string html, string? text = null) => ComesOut(markdown, html, text ?? "- " + html.Replace("☑", "[x]", StringComparison.Ordinal));

    [Fact]
    public async Task Only_the_first_paragraph_of_an_item_has_a_box()
    {
        var issue = Samples.ValidBody("- [x] done\n\n  [x] twice\n\n- # [ ] heading\n");
        var items = new HtmlParser().ParseDocument(await Rendered.HtmlAsync(issue)).QuerySelectorAll("li > *").Select(element => element.TextContent);
        Assert.Equal(["☑ done", "[x] twice", "[ ] heading"], items);
    }

    private static async Task ComesOut(string markdown, string html, string text)
    {
        var issue = Samples.ValidBody(markdown + "\n");
        Assert.Equal(html, Item(await Rendered.HtmlAsync(issue)));
        Assert.Equal(html, Item(await Rendered.WebAsync(issue)));
        Assert.Contains($"\n{text}\n", await Rendered.TextAsync(issue), StringComparison.Ordinal);
    }

    private static string Item(string html)
    {
        using var document = new HtmlParser().ParseDocument(html);
        var item = document.QuerySelector("li")!;
        foreach (var element in item.QuerySelectorAll("[style]")) element.RemoveAttribute("style");
        return item.InnerHtml.Trim();
    }
}
