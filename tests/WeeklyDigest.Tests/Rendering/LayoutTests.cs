using System.Text.RegularExpressions;
using WeeklyDigest.Tests.Issues;

namespace WeeklyDigest.Tests.Rendering;

/// <summary>
/// What Chromium makes of the HTML. With WEEKLYDIGEST_WRITE_SCREENSHOTS=1 the pictures in docs/screenshots are taken anew.
/// </summary>
public sealed partial class LayoutTests(Browser browser)
{
    private const int Height = 1800;
    private static readonly bool Write = Environment.GetEnvironmentVariable("WEEKLYDIGEST_WRITE_SCREENSHOTS") == "1";

    public static MatrixTheoryData<int, bool> Screens() => new([320, 600, 1280], [false, true]);

    [Theory]
    [MemberData(nameof(Screens))]
    public async Task Week_1_fits_every_width(int width, bool dark)
    {
        var page = await browser.OpenAsync(width, Height, dark);
        await page.SetContentAsync(await Rendered.HtmlAsync(Rendered.WeekOne()));
        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Equal(Math.Min(width, 600), await page.EvalOnSelectorAsync<int>(".sheet", "sheet => sheet.offsetWidth"));
        var name = $"week-1-{width}-{(dark ? "dark" : "light")}.png";
        if (Write) await page.ScreenshotAsync(new() { Path = Path.Combine(Workspace.RepositoryRoot, "docs", "screenshots", name), Clip = new() { Width = width, Height = Height } });
        await Browser.CloseAsync(page);
    }

    [Theory]
    [InlineData("everything", true)]
    [InlineData("everything", false)]
    [InlineData("chinese", true)]
    [InlineData("hebrew", false)]
    public async Task A_phone_never_scrolls_sideways(string name, bool styleElements)
    {
        var page = await browser.OpenAsync(320);
        var html = await Rendered.HtmlAsync(GoldenTests.Sample(name));
        await page.SetContentAsync(styleElements ? html : WithoutStyleElements(html));
        Assert.Equal(320, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await Browser.CloseAsync(page);
    }

    [Theory]
    [InlineData(320, "transformer", "parameters", false)]
    [InlineData(320, "Reinforcement", "Configuration", null)]
    [InlineData(360, "REINFORCEMENTS", "CONFIGURATIONS", false)]
    [InlineData(390, "Reinforcement", "Configuration", false)]
    [InlineData(390, "REINFORCEMENT", "CONFIGURATION", false)]
    [InlineData(390, "Reinforcement", "Geschwindigkeitsmessung", true)]
    [InlineData(640, "Reinforcement", "Geschwindigkeitsmessung", false)]
    public async Task Words_in_a_table_are_broken_only_where_the_screen_has_no_room_for_them(int width, string first, string second, bool? broken)
    {
        var page = await browser.OpenAsync(width);
        var rest = string.Join(' ', Enumerable.Repeat("so much is said here that this column wants all there is", 3));
        await page.SetContentAsync(await Rendered.HtmlAsync(Samples.ValidBody($"| {first} | {second} |\n|---|---|\n| {first} | {second} {rest} |\n")));
        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        var lines = await page.EvaluateAsync<int>("Math.max(...[...document.querySelectorAll('.prose table th')].map(cell => { const all = document.createRange(); all.selectNodeContents(cell); return all.getClientRects().length; }))");
        if (broken is { } expected) Assert.Equal(expected, lines > 1);
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task Contents_lead_to_their_entries()
    {
        var page = await browser.OpenAsync(600);
        await page.SetContentAsync(await Rendered.HtmlAsync(Rendered.WeekOne()));
        var targets = await page.EvaluateAsync<string[]>("[...document.querySelectorAll('.contents a')].map(a => document.querySelector(a.getAttribute('href')).textContent.trim().replace(/\\s+/g, ' '))");
        Assert.Equal(Rendered.WeekOne().Entries.Select(entry => entry.PlainTitle), targets);
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task Nothing_is_fetched_but_pictures()
    {
        var page = await browser.OpenAsync(600);
        var requests = new List<string>();
        await page.RouteAsync("**/*", route =>
        {
            requests.Add($"{route.Request.ResourceType} {route.Request.Url}");
            return route.AbortAsync();
        });
        await page.SetContentAsync(await Rendered.HtmlAsync(GoldenTests.Sample("everything")));
        Assert.Equal(["image https://example.com/chart.png"], requests);
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task The_line_beside_the_subject_is_not_shown_again()
    {
        var page = await browser.OpenAsync(600);
        await page.SetContentAsync(await Rendered.HtmlAsync(Rendered.WeekOne()));
        var shown = await page.InnerTextAsync("body");
        Assert.DoesNotContain("Eight papers over one coffee", shown, StringComparison.Ordinal);
        await Browser.CloseAsync(page);
    }

    /// <summary>What a mail program shows that drops style elements, as Gmail's app does for accounts of others.</summary>
    internal static string WithoutStyleElements(string html) => StyleElement().Replace(html, "");

    [GeneratedRegex("<style>.*?</style>", RegexOptions.Singleline)]
    private static partial Regex StyleElement();
}
