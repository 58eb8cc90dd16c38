using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using WeeklyDigest.Server.Jobs;

namespace WeeklyDigest.Tests.Web;

/// <summary>What becomes of a job is on its page without anybody loading it again.</summary>
public sealed class JobPageTests(Browser browser)
{
    private static readonly Job Preview = Job.FromExpression<PreviewJob>(job => job.OfAsync("week-1", null, CancellationToken.None));

    [Fact]
    public async Task The_page_of_a_job_that_waits_for_long_shows_what_becomes_of_it_and_so_does_that_of_one_that_is_requeued()
    {
        await using var site = await WithIssueAsync();
        var jobs = site.App.Services.GetRequiredService<IBackgroundJobClient>();
        var id = jobs.Create(Preview, new ScheduledState(TimeSpan.FromDays(1)));
        var page = await browser.OpenAsync();
        var looks = 0;
        page.Request += (_, request) => looks += request.Url.EndsWith("/jobs/details/" + id, StringComparison.Ordinal) ? 1 : 0;
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/jobs/details/" + id);
        await page.EvaluateAsync("() => { window.isOld = true; }");
        var before = looks;
        await Eventually.HoldsAsync(() => looks >= before + 3, "it goes on looking");
        // As long as nothing happens the page stays as it is.
        Assert.True(await page.EvaluateAsync<bool>("!!window.isOld"));

        Assert.True(jobs.ChangeState(id, new EnqueuedState()));
        await Assertions.Expect(page.Locator("#wd-report .wd-headline")).ToContainTextAsync("Preview of week-1 sent", new() { Timeout = 60_000 });
        await Assertions.Expect(Current(page)).ToContainTextAsync("Succeeded", new() { Timeout = 20_000 });

        await page.GetByRole(AriaRole.Button, new() { Name = "Requeue" }).ClickAsync();
        await Eventually.HoldsAsync(() => site.Inbox.Count == 2, "it ran again", TimeSpan.FromMinutes(1));
        await Assertions.Expect(page.Locator(".state-card-title", new() { HasText = "Succeeded" })).ToHaveCountAsync(2, new() { Timeout = 20_000 });
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task The_page_of_a_job_that_failed_fits_a_phone_and_goes_on_when_it_is_requeued()
    {
        await using var site = await WithIssueAsync();
        var jobs = site.App.Services.GetRequiredService<IBackgroundJobClient>();
        var id = jobs.Create(Preview, new FailedState(new WhoseNameIsLongerThanAPhoneIsWideException()));
        var page = await browser.OpenAsync(width: 375);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/jobs/details/" + id);
        await Assertions.Expect(Current(page)).ToContainTextAsync(nameof(WhoseNameIsLongerThanAPhoneIsWideException));
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));

        // By another, or in another tab: a page of a job that is over does not look.
        Assert.True(jobs.ChangeState(id, new ScheduledState(TimeSpan.FromDays(1))));
        await page.ReloadAsync();
        await Assertions.Expect(Current(page)).ToContainTextAsync("Scheduled");
        Assert.True(jobs.ChangeState(id, new EnqueuedState()));
        await Assertions.Expect(Current(page)).ToContainTextAsync("Succeeded", new() { Timeout = 60_000 });
        await Browser.CloseAsync(page);
    }

    private static ILocator Current(IPage page) => page.Locator(".state-card").First;

    private static Task<TestSite> WithIssueAsync() => TestSite.StartAsync(folder =>
    {
        folder.Write("subscribers/sample.csv", TestSite.List(3));
        folder.Write("issues/week-1.md", TestSite.Issue("First"));
    });

    private sealed class WhoseNameIsLongerThanAPhoneIsWideException : Exception;
}
