using Microsoft.Playwright;

namespace WeeklyDigest.Tests.Web;

/// <summary>Hangfire's own buttons ask in the background: what they do not get is told on the page they are on.</summary>
public sealed class RefusedPressTests(Browser browser)
{
    [Theory]
    [InlineData(1280)]
    [InlineData(375)]
    public async Task A_press_after_the_session_says_so_over_nothing_until_it_is_dismissed_and_the_button_is_as_before(int width)
    {
        await using var site = await TestSite.StartAsync();
        var page = await browser.OpenAsync(width: width);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/recurring");
        var button = page.GetByRole(AriaRole.Button, new() { Name = "Trigger now" });
        var looked = await button.InnerHTMLAsync();
        var session = (await page.Context.CookiesAsync()).Single(cookie => cookie.Name == "weeklydigest");
        await page.Context.ClearCookiesAsync(new() { Name = session.Name });
        await page.Locator("input[value=preview-to-self]").CheckAsync();
        await button.ClickAsync();

        var bar = page.Locator("#wd-refused");
        await Assertions.Expect(bar).ToContainTextAsync("You are signed out. Nothing was done, because your session has ended. Sign in again, then try once more.");
        await Assertions.Expect(button).ToBeEnabledAsync();
        await Assertions.Expect(button).ToHaveTextAsync("Trigger now");
        Assert.Equal(looked, await button.InnerHTMLAsync());
        Assert.Contains("glyphicon", looked, StringComparison.Ordinal);
        Assert.Equal("/sign-in?returnUrl=%2Fhangfire%2Frecurring", await bar.GetByRole(AriaRole.Link).GetAttributeAsync("href"));

        // Hangfire's own bar comes beside it.
        await Assertions.Expect(page.Locator("#errorAlert")).ToContainTextAsync("Unable to refresh the statistics", new() { Timeout = 20_000 });
        await page.WaitForFunctionAsync("() => jQuery(':animated').length === 0");
        await Assertions.Expect(bar).ToContainTextAsync("You are signed out.");
        Assert.True(await page.EvaluateAsync<bool>(
            """
            () => {
              const box = part => document.querySelector(part).getBoundingClientRect();
              return box('.navbar').bottom <= box('#wd-refused').top && box('#wd-refused').bottom <= box('#errorAlert').top && box('#errorAlert').bottom <= box('h1').top
                && document.documentElement.scrollWidth <= innerWidth;
            }
            """));
        Assert.Empty(await Axe.ViolationsAsync(page, "#wd-refused"));

        // As Hangfire does a minute later.
        await page.Context.AddCookiesAsync([new() { Name = session.Name, Value = session.Value, Url = site.Address.ToString() }]);
        await page.ReloadAsync();
        await Assertions.Expect(bar).ToContainTextAsync("You are signed out.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Dismiss" }).ClickAsync();
        await Assertions.Expect(bar).ToBeHiddenAsync();
        await page.ReloadAsync();
        await Assertions.Expect(bar).ToBeHiddenAsync();
        await Browser.CloseAsync(page);
    }
}
