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
}
