using System.Net;
using Hangfire.Storage.SQLite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace WeeklyDigest.Tests.Web;

/// <summary>Jobs cannot be written down, as on a full disk: the editor is told so by whatever starts one.</summary>
public sealed class JobStorageTroubleTests(Browser browser)
{
    [Fact]
    public async Task A_button_that_starts_a_job_says_why_it_cannot()
    {
        await using var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("subscribers/sample.csv", TestSite.List(12));
            folder.Write("issues/week-1.md", TestSite.Issue("First"));
        });
        var page = await browser.OpenAsync();
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/recurring");
        var reason = $"The job database {Refuse(site)} cannot be written.";

        // Hangfire's own button asks in the background, and would wait for ever.
        await page.Locator("input[value=weekly-digest]").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Trigger now" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync(reason);
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Trigger now" })).ToBeEnabledAsync();

        await page.GotoAsync(new Uri(site.Address, "/hangfire/issues").ToString());
        var answer = await page.RunAndWaitForResponseAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = "Preview week-1" }).ClickAsync(), response => response.Url.EndsWith("/do/preview", StringComparison.Ordinal));
        Assert.Equal((int)HttpStatusCode.ServiceUnavailable, answer.Status);
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync(reason);
        Assert.Equal(0, site.Inbox.Count);
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task A_mailing_whose_job_cannot_be_started_is_said_so_once_however_often_it_is_tried()
    {
        await using var site = await TestSite.StartAsync();
        Refuse(site);
        await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com");
        await Eventually.HoldsAsync(() => Said("still cannot be looked at") >= 2, "it is tried again and again", TimeSpan.FromMinutes(1));
        Assert.Equal(1, Said("could not be looked at"));

        int Said(string words)
        {
            lock (site.Log) return site.Log.Count(line => line.Contains(words, StringComparison.Ordinal));
        }
    }

    // The path of the file.
    private static string Refuse(TestSite site)
    {
        var jobs = (SQLiteStorage)site.App.Services.GetRequiredService<Hangfire.JobStorage>();
        jobs.Database.Write(session => session.Plain("PRAGMA query_only = ON").Run());
        return jobs.Database.Path;
    }
}
