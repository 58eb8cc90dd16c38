using System.Net;
using Microsoft.Playwright;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Web;

/// <summary>A form that is sent too late: who pressed the button reads that nothing was done, and what to do; scripts get the status alone.</summary>
public sealed class RefusedFormsTests(Browser browser)
{
    private const string Send = "/hangfire/issues/week-1/do/send";
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_button_pressed_after_the_session_or_with_a_lost_token_says_that_nothing_was_done_and_what_to_do()
    {
        await using var site = await WithIssueAsync();
        var page = await browser.OpenAsync();
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues/week-1/send");
        var session = (await page.Context.CookiesAsync()).Single(cookie => cookie.Name == "weeklydigest");
        await page.Context.ClearCookiesAsync(new() { Name = "weeklydigest-form" });
        await page.GetByRole(AriaRole.Button, new() { Name = "Send to up to 3 subscribers" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Main)).ToHaveTextAsync("This form is out of date Nothing was done. Go back, reload the page and try again.");
        await page.GoBackAsync();
        await page.ReloadAsync();
        await page.Context.ClearCookiesAsync(new() { Name = session.Name });
        await page.GetByRole(AriaRole.Button, new() { Name = "Send to up to 3 subscribers" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("You are signed out");
        await Assertions.Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("Nothing was done, because your session has ended.");
        Assert.Empty(await Axe.ViolationsAsync(page, "main"));
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in again" }).ClickAsync();
        Assert.Equal(new Uri(site.Address, "/sign-in").ToString(), page.Url);
        Assert.Equal(0, site.Inbox.Count);
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task Pause_and_Cancel_on_a_page_that_is_older_than_the_end_say_that_there_is_nothing_to_stop()
    {
        await using var site = await WithIssueAsync();
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", Workspace.Later, "ada@example.com");
        var page = await browser.OpenAsync(width: 390);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues");
        using var editor = await site.EditorAsync();
        var cancel = await editor.GetStringAsync(new Uri("/hangfire/issues/week-1/cancel", UriKind.Relative), Cancel);
        Assert.True(await site.Installation.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Cancelled, "by another", TimeProvider.System.GetUtcNow(), Cancel));

        await page.GetByRole(AriaRole.Button, new() { Name = "Pause week-1" }).ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("week-1 is cancelled; pause works on one that is scheduled or sending.");
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
        await page.GetByRole(AriaRole.Link, new() { Name = "Back to the issues" }).ClickAsync();
        await Assertions.Expect(page.Locator(".wd-label")).ToHaveTextAsync("cancelled");
        // Pressed twice: it is as was asked for.
        using var twice = await editor.PostAsync(new Uri("/hangfire/issues/week-1/do/cancel", UriKind.Relative), TestSite.FormOf(cancel), Cancel);
        Assert.Equal("/hangfire/issues", twice.Headers.Location!.ToString());
        Assert.Equal("by another", (await site.Installation.Database.Mailings.FindAsync(mailing, Cancel))!.StateReason);
        await Browser.CloseAsync(page);
    }

    [Theory]
    [InlineData(MailingState.Sent)]
    [InlineData(MailingState.Cancelled)]
    [InlineData(null)]
    public async Task The_question_before_Cancel_is_asked_only_where_there_is_something_to_cancel(MailingState? state)
    {
        await using var site = await WithIssueAsync();
        var mailing = state is null ? 0 : await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", state == MailingState.Sent ? null : Workspace.Later, "ada@example.com");
        if (state == MailingState.Cancelled)
            Assert.True(await site.Installation.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Cancelled, null, TimeProvider.System.GetUtcNow(), Cancel));
        else if (state == MailingState.Sent)
            await Eventually.HoldsAsync(() => site.Installation.Database.Mailings.FindAsync(mailing, Cancel).Result!.State == MailingState.Sent, "it was sent", TimeSpan.FromMinutes(1));
        using var editor = await site.EditorAsync();

        var page = await editor.GetStringAsync(new Uri("/hangfire/issues/week-1/cancel", UriKind.Relative), Cancel);

        Assert.Contains(
            state is null ? "This issue has not been published; there is nothing to cancel." : $"week-1 is {state.ToString()!.ToLowerInvariant()}; cancel works on one that is scheduled or sending or paused.",
            page,
            StringComparison.Ordinal);
        Assert.DoesNotContain("/do/cancel", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_that_is_not_there_says_so_and_leads_back_to_the_issues()
    {
        await using var site = await WithIssueAsync();
        var page = await browser.OpenAsync(width: 390);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues");
        foreach (var path in new[] { "/hangfire/issues/renamed/send", "/hangfire/issues/week-1/time", "/hangfire/issues/week-1/nope", "/hangfire/nope" })
        {
            var answer = await page.GotoAsync(new Uri(site.Address, path).ToString());
            Assert.Equal(404, answer!.Status);
            await Assertions.Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("There is no such page If it was of an issue, the issue's file may have been renamed or removed.");
        }
        var button = await page.GotoAsync(new Uri(site.Address, Send).ToString());
        Assert.Equal(405, button!.Status);
        await Assertions.Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("This is the address of a button Nothing was done.");
        Assert.Empty(await Axe.ViolationsAsync(page, "main"));
        await page.GetByRole(AriaRole.Link, new() { Name = "Back to the issues" }).ClickAsync();

        // An old tab: the file has another name by now.
        Assert.Equal("/hangfire/issues", new Uri(page.Url).AbsolutePath);
        File.Delete(site.Installation.Issues.Find("week-1")!.Path);
        await page.GetByRole(AriaRole.Button, new() { Name = "Preview week-1" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("There is no such page Nothing was done. If it was of an issue");
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task A_browser_with_a_token_of_other_keys_leaves_no_stack_in_the_log_and_is_refused_only_when_it_sends_a_form()
    {
        await using var site = await WithIssueAsync();
        var page = await browser.OpenAsync();
        await page.Context.AddCookiesAsync([new() { Name = "weeklydigest-form", Value = "CfDJ8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Url = site.Address.ToString() }]);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues/week-1/send");
        await page.Context.AddCookiesAsync([new() { Name = "weeklydigest-form", Value = "CfDJ8BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB", Url = site.Address.ToString() }]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Send to up to 3 subscribers" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Main)).ToHaveTextAsync("This form is out of date Nothing was done. Go back, reload the page and try again.");
        Assert.Equal(0, site.Inbox.Count);
        Assert.False(site.HasLogged(line => line.Contains("ntiforgery", StringComparison.Ordinal)));
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task The_address_of_a_button_that_is_opened_leads_to_the_page_it_is_on_and_leaves_no_stack_in_the_log()
    {
        await using var site = await WithIssueAsync();
        using var editor = await site.EditorAsync();
        foreach (var (button, page) in new[] { ("recurring/trigger", "recurring"), ("recurring/remove", "recurring"), ("jobs/failed/requeue", "jobs/failed"), ("jobs/scheduled/enqueue", "jobs/scheduled"), ("jobs/enqueued/delete", "jobs/enqueued"), ("stats", "") })
        {
            using var opened = await editor.GetAsync(new Uri("/hangfire/" + button, UriKind.Relative), Cancel);
            Assert.Equal((HttpStatusCode.Redirect, $"/hangfire/{page}".TrimEnd('/')), (opened.StatusCode, opened.Headers.Location?.ToString()));
            using var shown = await editor.GetAsync(opened.Headers.Location, Cancel);
            Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
        }
        Assert.False(site.HasLogged(line => line.Contains("   at Hangfire.", StringComparison.Ordinal)));

        // Pressed, it does what it did.
        using var form = TestSite.FormOf(await editor.GetStringAsync(new Uri("/hangfire/issues", UriKind.Relative), Cancel), ("jobs[]", "weekly-digest"));
        using var pressed = await editor.PostAsync(new Uri("/hangfire/recurring/trigger", UriKind.Relative), form, Cancel);
        Assert.Equal(HttpStatusCode.NoContent, pressed.StatusCode);
        await Eventually.HoldsAsync(() => site.Inbox.Count == 3, "the issue arrives", TimeSpan.FromMinutes(2));
    }

    [Theory]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", null, true)]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", "XMLHttpRequest", false)]
    [InlineData("application/json, text/javascript, */*; q=0.01", null, false)]
    [InlineData("*/*", null, false)]
    public async Task The_status_is_the_same_for_all_and_only_a_page_has_words(string accept, string? requestedWith, bool hasWords)
    {
        await using var site = await WithIssueAsync();
        using var stranger = site.Client();
        using var editor = await site.EditorAsync();
        foreach (var path in new[] { Send, "/hangfire/recurring/trigger", "/hangfire/schedule" })
        {
            Assert.Equal((HttpStatusCode.Unauthorized, hasWords), await PostAsync(stranger, path));
            Assert.Equal((HttpStatusCode.Forbidden, hasWords), await PostAsync(editor, path));
        }
        Assert.Equal((HttpStatusCode.Unauthorized, hasWords), await PostAsync(stranger, "/sign-out"));
        Assert.Equal((HttpStatusCode.Unauthorized, false), await PostAsync(stranger, "/api/x"));
        Assert.Equal(0, site.Inbox.Count);

        async Task<(HttpStatusCode Status, bool HasWords)> PostAsync(HttpClient client, string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent([]) };
            request.Headers.TryAddWithoutValidation("Accept", accept);
            if (requestedWith is not null) request.Headers.Add("X-Requested-With", requestedWith);
            using var answer = await client.SendAsync(request, Cancel);
            Assert.Null(answer.Headers.Location);
            return (answer.StatusCode, (await answer.Content.ReadAsStringAsync(Cancel)).Contains("Nothing was done", StringComparison.Ordinal));
        }
    }

    private static Task<TestSite> WithIssueAsync() => TestSite.StartAsync(folder =>
    {
        folder.Write("subscribers/sample.csv", TestSite.List(3));
        folder.Write("issues/week-1.md", TestSite.Issue("First"));
    });
}
