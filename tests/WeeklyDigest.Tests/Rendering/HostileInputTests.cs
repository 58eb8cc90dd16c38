using System.Text;
using WeeklyDigest.Merging;
using WeeklyDigest.Tests.Issues;

namespace WeeklyDigest.Tests.Rendering;

public sealed class HostileInputTests(Browser browser)
{
    private const string Attack = "\"><img src=x onerror=\"document.title='owned'\"></style><script>document.title='owned'</script>";

    private static readonly MergeValues Mallory = new(Attack, "mallory@example.org", new Dictionary<string, string> { ["city"] = Attack + "\r\n&x=javascript:alert(1)" }, "https://digest.example/unsubscribe/abc123");

    [Fact]
    public async Task A_subscribers_values_stay_text()
    {
        var issue = Samples.Valid("---\ntitle: Seven, {{ name }}\npreheader: For {{ name }}\n---\nDear {{ name }}, see [{{ name }}](https://example.com/?c={{ attributes.city }} \"{{ name }}\") and `{{ name }}`.\n\n### {{ name }}\n\nText.\n\n![{{ name }}](https://example.com/a.png)\n");
        var html = (await Rendered.MailAsync(issue)).Html.Fill(Mallory);
        await AssertHarmlessAsync(html);
        Assert.Contains("https://example.com/?c=%22%3E%3Cimg", html, StringComparison.Ordinal);
        Assert.DoesNotContain("\r", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("</style><script>document.title='owned'</script>")]
    [InlineData("<img src=x onerror=\"document.title='owned'\">")]
    [InlineData("text <svg onload=\"document.title='owned'\"> text")]
    [InlineData("`</code><script>document.title='owned'</script>`")]
    [InlineData("```\n</pre><script>document.title='owned'</script>\n```")]
    [InlineData("```\"><script>document.title='owned'</script>\ncode\n```")]
    [InlineData("- <script>document.title='owned'</script>")]
    [InlineData("| a |\n|---|\n| <script>document.title='owned'</script> |")]
    [InlineData("a <!--[if mso]><script>document.title='owned'</script><![endif]--> b")]
    public async Task HTML_in_an_issue_stays_text(string markdown)
        => await AssertHarmlessAsync(await Rendered.HtmlAsync(Samples.ValidBody(markdown + "\n\n### Entry\n\n" + markdown + "\n")));

    [Fact]
    public async Task Front_matter_stays_text()
    {
        var attack = "</title><script>document.title='owned'</script>";
        var issue = Samples.Valid($"---\ntitle: \"Seven {attack} | {attack}\"\npreheader: \"{attack}\"\nauthor: \"{attack}\"\n---\nText.\n\n### One\n\nText.\n\n### Two\n\nText.\n");
        await AssertHarmlessAsync(await Rendered.HtmlAsync(issue));
        await AssertHarmlessAsync(await Rendered.WebAsync(issue));
    }

    [Fact]
    public async Task Razor_in_an_issue_is_text()
    {
        const string razor = "@{ throw new System.Exception(\"run\"); } @(1 + 1) @Model.Newsletter @@ @* comment *@";
        var issue = Samples.Valid($"---\ntitle: 'Seven @(2 + 2)'\n---\n{razor}\n\n### {razor}\n\n{razor}\n");
        Assert.Contains("@(1 + 1) @Model.Newsletter", await Rendered.HtmlAsync(issue), StringComparison.Ordinal);
        Assert.Contains("@(1 + 1) @Model.Newsletter", await Rendered.TextAsync(issue), StringComparison.Ordinal);
        Assert.Equal("Seven @(2 + 2)", (await Rendered.MailAsync(issue)).Subject.Fill(Rendered.Ann));
    }

    [Fact]
    public async Task A_text_part_is_not_encoded()
    {
        var issue = Samples.ValidBody("Half & half, 1 < 2, \"quoted\", it's 5 > 4, caf\u00E9.\n\n### One & two\n\n`a && b`\n");
        var text = await Rendered.TextAsync(issue);
        Assert.Contains("Half & half, 1 < 2, \"quoted\", it's 5 > 4, caf\u00E9.", text, StringComparison.Ordinal);
        Assert.Contains("One & two", text, StringComparison.Ordinal);
        Assert.DoesNotContain("&amp;", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Characters_are_not_inflated_to_entities()
    {
        var issue = GoldenTests.Sample("chinese");
        var html = await Rendered.HtmlAsync(issue);
        Assert.Contains("\u6B22\u8FCE\u9605\u8BFB", html, StringComparison.Ordinal);
        Assert.DoesNotContain("&#", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_stay_below_998_octets_whatever_the_text()
    {
        var word = new string('x', 5_000);
        var cjk = new StringBuilder().Insert(0, "\u5B57", 3_000).ToString();
        var emoji = new StringBuilder().Insert(0, "\U0001F469\u200D\U0001F680", 600).ToString();
        var amps = new string('&', 2_000);
        var issue = Samples.ValidBody($"{word} {cjk}\n\n### {word}\n\n`{word}`\n\n```\n{word}{cjk}\n```\n\n{emoji} {amps}\n\n![{word}](https://example.com/a.png)\n");
        var mail = await Rendered.MailAsync(issue);
        var html = mail.Html.Fill(Rendered.Ann);
        Assert.All(html.Split('\n'), line => Assert.InRange(Encoding.UTF8.GetByteCount(line), 0, 997));
        Assert.All(mail.Text.Fill(Rendered.Ann).Split('\n'), line => Assert.InRange(Encoding.UTF8.GetByteCount(line), 0, 997));
        var page = await browser.OpenAsync(320);
        await page.SetContentAsync(html);
        var shown = await page.EvaluateAsync<string>("document.body.textContent");
        Assert.Contains(word, shown, StringComparison.Ordinal);
        Assert.Contains(cjk, shown, StringComparison.Ordinal);
        Assert.Contains(emoji, shown, StringComparison.Ordinal);
        Assert.Contains(amps, shown, StringComparison.Ordinal);
        await Browser.CloseAsync(page);
    }

    private async Task AssertHarmlessAsync(string html)
    {
        var page = await browser.OpenAsync(600);
        await page.SetContentAsync(html);
        Assert.NotEqual("owned", await page.TitleAsync());
        Assert.Equal(0, await page.EvaluateAsync<int>("document.querySelectorAll('script, svg, iframe, object, embed, form, input, [onerror], [onload], [href^=\"javascript\" i]').length"));
        await Browser.CloseAsync(page);
    }
}
