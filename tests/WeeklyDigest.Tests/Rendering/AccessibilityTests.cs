namespace WeeklyDigest.Tests.Rendering;

public sealed class AccessibilityTests(Browser browser)
{
    // The contrast of every visible text with the background behind it (WCAG 2.2, 1.4.3), the smallest first.
    private const string Contrasts = """
        () => {
          const rgb = colour => (colour.match(/[\d.]+/g) || []).map(Number);
          const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          const behind = element => { for (let at = element; at; at = at.parentElement) {
            const c = rgb(getComputedStyle(at).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), all = [];
          while (walk.nextNode()) {
            const element = walk.currentNode.parentElement;
            if (!walk.currentNode.data.trim() || !element.getClientRects().length) continue;
            const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
            all.push((a + 0.05) / (b + 0.05));
          }
          return all.sort((x, y) => x - y);
        }
        """;

    [Theory]
    [InlineData("week-1", 320, false)]
    [InlineData("week-1", 320, true)]
    [InlineData("week-1", 600, false)]
    [InlineData("week-1", 600, true)]
    [InlineData("week-1", 1280, false)]
    [InlineData("week-1", 1280, true)]
    [InlineData("everything", 320, true)]
    [InlineData("everything", 600, false)]
    [InlineData("hebrew", 600, true)]
    [InlineData("web", 1280, false)]
    public async Task Axe_finds_no_violation(string name, int width, bool dark)
    {
        var page = await browser.OpenAsync(width, dark: dark);
        await page.SetContentAsync(await HtmlAsync(name));
        Assert.Empty(await Axe.ViolationsAsync(page));
        await Browser.CloseAsync(page);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task Every_text_stands_out_from_what_is_behind_it(bool dark, bool styleElements)
    {
        var page = await browser.OpenAsync(600, dark: dark);
        var html = await HtmlAsync("everything");
        await page.SetContentAsync(styleElements ? html : LayoutTests.WithoutStyleElements(html));
        var contrasts = await page.EvaluateAsync<double[]>(Contrasts);
        Assert.True(contrasts.Length > 40);
        Assert.InRange(contrasts[0], 4.5, 21);
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task Outlooks_dark_mode_gets_dark_colours_without_a_media_query()
    {
        var page = await browser.OpenAsync(600);
        await page.SetContentAsync((await HtmlAsync("week-1")).Replace("<html ", "<html data-ogsc data-ogsb ", StringComparison.Ordinal));
        Assert.Equal("rgb(235, 231, 225)", await page.EvalOnSelectorAsync<string>(".contents-title a", "link => getComputedStyle(link).color"));
        var contrasts = await page.EvaluateAsync<double[]>(Contrasts);
        Assert.InRange(contrasts[0], 4.5, 21);
        await Browser.CloseAsync(page);
    }

    private static Task<string> HtmlAsync(string name) => name switch
    {
        "week-1" => Rendered.HtmlAsync(Rendered.WeekOne()),
        "web" => Rendered.WebAsync(Rendered.WeekOne()),
        _ => Rendered.HtmlAsync(GoldenTests.Sample(name)),
    };
}
