namespace WeeklyDigest.Tests;

public sealed class BrowserTests(Browser browser)
{
    [Theory]
    [InlineData(320, false)]
    [InlineData(1280, true)]
    public async Task Shows_a_page_at_a_width_and_in_a_colour_scheme(int width, bool dark)
    {
        var page = await browser.OpenAsync(width, dark: dark);
        await page.SetContentAsync("<p>Hello</p>");
        Assert.Equal(width, await page.EvaluateAsync<int>("innerWidth"));
        Assert.Equal(dark, await page.EvaluateAsync<bool>("matchMedia('(prefers-color-scheme: dark)').matches"));
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task Axe_tells_each_element_that_breaks_a_rule_and_only_in_the_part_asked_for()
    {
        var page = await browser.OpenAsync();
        await page.SetContentAsync("<html lang=en><title>x</title><main><h1>Hello</h1><img src=a><img src=b></main><p id=aside style='color:#ccc;background:#fff'>pale</p>");
        var all = await Axe.ViolationsAsync(page);
        Assert.Equal(2, all.Count(violation => violation.StartsWith("image-alt: <img", StringComparison.Ordinal)));
        Assert.Contains(all, violation => violation.StartsWith("color-contrast: <p id=\"aside\"", StringComparison.Ordinal));
        Assert.DoesNotContain(await Axe.ViolationsAsync(page, "main"), violation => violation.StartsWith("color-contrast", StringComparison.Ordinal));
        await Browser.CloseAsync(page);
    }
}
