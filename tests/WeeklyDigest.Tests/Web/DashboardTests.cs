using System.Globalization;
using System.Net;
using Microsoft.Playwright;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Web;

public sealed class DashboardTests(Browser browser)
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task From_the_sign_in_link_to_a_sent_issue_by_clicks_alone()
    {
        await using var site = await WithIssuesAsync();
        var page = await browser.OpenAsync();
        var complaints = new List<string>();
        page.Console += (_, message) => { if (message.Type == "error") complaints.Add(message.Text); };

        await InboxPagesTests.SignInAsync(page, site, "/hangfire");
        await page.GetByRole(AriaRole.Link, new() { Name = "Recurring Jobs" }).ClickAsync();
        await Assertions.Expect(page.Locator("tr:has(input[value=weekly-digest])")).ToContainTextAsync("when triggered", new() { Timeout = 20_000 });
        Assert.DoesNotContain("disabled", await page.Locator("tbody").InnerTextAsync(), StringComparison.OrdinalIgnoreCase);
        await page.Locator("input[value=weekly-digest]").CheckAsync();
        // The page comes anew when the trigger was taken; going elsewhere before it is there would be interrupted by it.
        await page.EvaluateAsync("() => { window.isOld = true; }");
        await page.GetByRole(AriaRole.Button, new() { Name = "Trigger now" }).ClickAsync();
        await page.WaitForFunctionAsync("() => !window.isOld && document.readyState === 'complete'");
        await Eventually.HoldsAsync(() => site.Inbox.Count == 12, "the issue arrives", TimeSpan.FromMinutes(2));
        await page.GotoAsync(new Uri(site.Address, "/hangfire/jobs/succeeded").ToString());
        await Eventually.HoldsAsync(() => page.ReloadAsync().ContinueWith(_ => page.Locator(".js-jobs-list-row a").CountAsync()).Unwrap().Result > 0, "the job is listed");
        await page.Locator(".js-jobs-list-row a").First.ClickAsync();

        var report = page.Locator("#wd-report");
        Assert.Contains("Sent: week-1, 12 of 12.", await report.InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains("It adds up: 0 + 0 + 0 + 0 + 12 + 0 + 0 + 0 = 12", await report.InnerTextAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("DBG_", await page.ContentAsync(), StringComparison.Ordinal);
        Assert.Empty(complaints);
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task The_page_Issues_previews_and_sends()
    {
        await using var site = await WithIssuesAsync();
        var page = await browser.OpenAsync(width: 375);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues");

        await page.GetByRole(AriaRole.Button, new() { Name = "Preview week-1" }).ClickAsync();
        await page.Locator("#wd-report[data-done=true]").WaitForAsync(new() { Timeout = 60_000 });
        Assert.Contains("Preview of week-1 sent to editor@example.com", await page.Locator("#wd-report").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(1, site.Inbox.Count);

        await page.GotoAsync(new Uri(site.Address, "/hangfire/issues").ToString());
        await page.GetByRole(AriaRole.Link, new() { Name = "Send week-1" }).ClickAsync();
        Assert.Equal(1, site.Inbox.Count);
        await page.GetByRole(AriaRole.Button, new() { Name = "Send to up to 12 subscribers" }).ClickAsync();
        await page.Locator("#wd-report[data-done=true]").WaitForAsync(new() { Timeout = 60_000 });
        Assert.Contains("Sent: week-1, 12 of 12.", await page.Locator("#wd-report").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(13, site.Inbox.Count);

        await page.GotoAsync(new Uri(site.Address, "/hangfire/issues").ToString());
        Assert.Equal(0, await page.GetByRole(AriaRole.Link, new() { Name = "Send week-1" }).CountAsync());
        Assert.Contains("12 of 12 sent", await page.GetByRole(AriaRole.Article, new() { Name = "week-1" }).InnerTextAsync(), StringComparison.Ordinal);
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task A_running_jobs_page_moves_by_itself_and_pause_resume_and_cancel_act_at_once()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message
            ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System), SmtpMove.Accept)
            : SmtpMove.Accept);
        await using var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("subscribers/all.csv", TestSite.List(5000));
            folder.Write("issues/week-1.md", TestSite.Issue("First"));
        }, ("Smtp:Relays:0:Port", $"{relay.Port}"));
        var page = await browser.OpenAsync();
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues/week-1/send");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send to up to 5,000 subscribers" }).ClickAsync();

        var pace = page.Locator(".wd-pace strong");
        await pace.WaitForAsync(new() { Timeout = 60_000 });
        var first = await pace.InnerTextAsync();
        await Assertions.Expect(pace).Not.ToHaveTextAsync(first, new() { Timeout = 20_000 });
        var job = page.Url;

        await IssuesAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause week-1" }).ClickAsync();
        await Assertions.Expect(page.Locator(".wd-label")).ToHaveTextAsync("paused");
        await page.GotoAsync(job);
        await Assertions.Expect(page.Locator("#wd-report[data-done=true] .wd-headline")).ToContainTextAsync("Paused: week-1", new() { Timeout = 20_000 });
        var sent = relay.AcceptedCount;

        await IssuesAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume week-1" }).ClickAsync();
        await Eventually.HoldsAsync(() => relay.AcceptedCount > sent, "it goes on");
        await IssuesAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Cancel week-1" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel the mailing" }).ClickAsync();
        await Assertions.Expect(page.Locator(".wd-label")).ToHaveTextAsync("cancelled");
        Assert.InRange(relay.AcceptedCount, sent + 1, 4999);
        await Browser.CloseAsync(page);

        Task IssuesAsync() => page.GotoAsync(new Uri(site.Address, "/hangfire/issues").ToString());
    }

    [Fact]
    public async Task Uncertain_and_failed_deliveries_are_decided_on_the_page_Issues()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment switch
        {
            { Stage: SmtpStage.Message, Time: 1, Recipient: "reader1@example.com" } => SmtpMove.KeepThenDrop,
            { Stage: SmtpStage.RcptTo, Time: 1, Recipient: "reader2@example.com" or "reader3@example.com" } => SmtpMove.Reply("554 5.7.1 not today"),
            _ => SmtpMove.Accept,
        });
        await using var site = await TestSite.StartAsync(null, ("Smtp:Relays:0:Port", $"{relay.Port}"));
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", [.. Enumerable.Range(1, 6).Select(i => $"reader{i}@example.com")]);
        await Eventually.HoldsAsync(() => State(site, mailing) == "Sent", "it was sent", TimeSpan.FromMinutes(1));
        await site.Installation.Database.Subscribers.UnsubscribeAsync(3, "link", Cancel);
        var page = await browser.OpenAsync(width: 375);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues");

        await page.GetByRole(AriaRole.Link, new() { Name = "Retry failed week-1" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Try 1 failed delivery again?");
        await Assertions.Expect(page.Locator(".wd-question")).ToContainTextAsync("1 of 2 stays as before, since the subscriber has left or bounced");
        await page.GetByRole(AriaRole.Button, new() { Name = "Try 1 again" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 failed delivery is pending again; 1 failed delivery stays as before, since the subscriber has left or bounced.");
        await Eventually.HoldsAsync(() => State(site, mailing) == "Sent" && relay.Accepted.Any(message => message.Recipient == "reader2@example.com"), "the watch took it up", TimeSpan.FromMinutes(1));

        await page.GotoAsync(new Uri(site.Address, "/hangfire/issues").ToString());
        await page.GetByRole(AriaRole.Link, new() { Name = "Resolve uncertain week-1" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Send 1 again" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 uncertain delivery is pending again.");
        await Eventually.HoldsAsync(() => State(site, mailing) == "Sent" && relay.Accepted.Count(message => message.Recipient == "reader1@example.com") == 2, "it was sent again", TimeSpan.FromMinutes(1));
        Assert.Equal((6, 5), (relay.AcceptedCount, relay.Accepted.Select(message => message.Recipient).Distinct().Count()));
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task A_mailing_that_waits_for_its_time_is_given_another_one_on_the_page_Issues()
    {
        await using var site = await WithIssuesAsync();
        var at = Workspace.Later;
        var other = at.AddDays(1).AddMinutes(90);
        var file = site.Installation.Issues.Find("week-1")!;
        var mailing = (await site.Installation.PublishIssue.RunAsync(file, null, at, _ => Task.CompletedTask, Cancel)).MailingId;
        var page = await browser.OpenAsync(width: 360);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues");
        await page.GetByRole(AriaRole.Link, new() { Name = "Change time week-1" }).ClickAsync();
        await page.GetByLabel("Another time").FillAsync("2001-01-01T09:00");
        await page.GetByRole(AriaRole.Button, new() { Name = "Change the time" }).ClickAsync();
        await Assertions.Expect(page.Locator(".wd-note[role=alert]")).ToContainTextAsync("is in the past; week-1 stays scheduled");
        await page.GetByLabel("Another time").FillAsync(Words(other, "yyyy-MM-ddTHH:mm"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Change the time" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync($"It starts on {Words(other, "d MMMM yyyy HH:mm")} (UTC) instead of {Words(at, "d MMMM yyyy HH:mm")} (UTC).");
        Assert.Empty(await Axe.ViolationsAsync(page, ".js-page-container"));
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));

        await page.GotoAsync(new Uri(site.Address, "/hangfire/issues").ToString());
        await Assertions.Expect(page.GetByRole(AriaRole.Article, new() { Name = "week-1" })).ToContainTextAsync($"starts {Words(other, "d MMM yyyy HH:mm")} UTC");
        // Four buttons are more than a phone is wide.
        Assert.Equal(4, await page.Locator(".wd-issue[aria-label=week-1] .wd-buttons .btn").CountAsync());
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
        Assert.Equal(other, (await site.Installation.Database.Mailings.ContentAsync(mailing, Cancel)).Date);
        await Browser.CloseAsync(page);

        static string Words(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task A_decision_needs_the_forms_token_and_says_when_there_is_nothing_to_decide()
    {
        await using var site = await TestSite.StartAsync();
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com");
        await Eventually.HoldsAsync(() => State(site, mailing) == "Sent", "it was sent", TimeSpan.FromMinutes(1));
        using var editor = await site.EditorAsync();
        foreach (var action in new[] { "resend", "confirm", "retry" })
        {
            var path = new Uri($"/hangfire/issues/week-1/do/{action}", UriKind.Relative);
            using var get = await editor.GetAsync(path, Cancel);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
            using var nothing = new FormUrlEncodedContent([]);
            using var forged = await editor.PostAsync(path, nothing, Cancel);
            Assert.Equal(HttpStatusCode.Forbidden, forged.StatusCode);
        }
        Assert.Contains("there is nothing to decide", await editor.GetStringAsync(new Uri("/hangfire/issues/week-1/retry", UriKind.Relative), Cancel), StringComparison.Ordinal);
        Assert.Contains("there is nothing to decide", await editor.GetStringAsync(new Uri("/hangfire/issues/week-1/resolve", UriKind.Relative), Cancel), StringComparison.Ordinal);
        Assert.Equal(1, site.Inbox.Count);
    }

    [Fact]
    public async Task Our_parts_of_the_dashboard_are_accessible_and_fit_a_phone()
    {
        await using var site = await WithIssuesAsync();
        foreach (var (width, dark) in new[] { (1280, false), (360, true) })
        {
            var page = await browser.OpenAsync(width, dark: dark);
            await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues");
            foreach (var path in new[] { "/hangfire/issues", "/hangfire/schedule", "/hangfire/nodes", "/hangfire/issues/week-1/send", "/hangfire/issues/week-1/resolve", "/hangfire/issues/week-1/retry" })
            {
                await page.GotoAsync(new Uri(site.Address, path).ToString());
                var violations = await Axe.ViolationsAsync(page, ".js-page-container");
                Assert.True(violations.Count == 0, path + ": " + string.Join("; ", violations));
                Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), path + " scrolls sideways");
                Assert.True(!dark || await page.EvaluateAsync<bool>("[...document.querySelectorAll('.wd-form .form-control')].every(field => getComputedStyle(field).backgroundColor === 'rgb(42, 42, 42)')"), path + " has a white field");
                Assert.True(await page.EvaluateAsync<bool>("[...document.querySelectorAll('.wd-form code')].every(code => code.getClientRects().length === 1)"), path + " breaks an example");
            }
            await Browser.CloseAsync(page);
        }
    }

    [Theory]
    [InlineData(768)]
    [InlineData(1024)]
    [InlineData(1280)]
    public async Task The_bar_of_the_dashboard_covers_no_heading(int width)
    {
        await using var site = await WithIssuesAsync();
        var page = await browser.OpenAsync(width);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues");
        Assert.InRange(await page.EvaluateAsync<double>("document.querySelector('h1').getBoundingClientRect().top - document.querySelector('.navbar').getBoundingClientRect().bottom"), 1, 40);
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task A_long_name_and_a_title_without_a_space_are_whole_on_a_phone()
    {
        var slug = "week-1-the-house-style-of-dashboards-" + new string('x', 40);
        await using var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("subscribers/sample.csv", TestSite.List(2));
            folder.Write($"issues/{slug}.md", TestSite.Issue("Abc\u202e" + new string('w', 90)));
        });
        var page = await browser.OpenAsync(width: 390);
        await InboxPagesTests.SignInAsync(page, site, "/hangfire/issues");
        await FitsAsync();
        foreach (var question in new[] { "cancel", "resolve", "retry", "send" })
        {
            await page.GotoAsync(new Uri(site.Address, $"/hangfire/issues/{slug}/{question}").ToString());
            await FitsAsync();
        }
        // What turns the writing round in a title turns nothing of the sentence around it.
        await Assertions.Expect(page.Locator(".wd-question bdi")).ToContainTextAsync("Abc\u202e");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send to up to 2 subscribers" }).ClickAsync();
        await page.Locator("#wd-report[data-done=true]").WaitForAsync(new() { Timeout = 60_000 });
        await FitsAsync();
        await Browser.CloseAsync(page);

        async Task FitsAsync()
        {
            Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), page.Url + " scrolls sideways");
            Assert.True(await page.Locator("h1").EvaluateAsync<bool>("heading => heading.scrollWidth <= heading.clientWidth"), page.Url + " cuts its heading off");
        }
    }

    [Fact]
    public async Task The_page_Issues_says_what_is_wrong_where_and_encodes_it()
    {
        await using var site = await WithIssuesAsync();
        using var editor = await site.EditorAsync();

        var page = await editor.GetStringAsync(new Uri("/hangfire/issues", UriKind.Relative), Cancel);

        Assert.Contains("<html lang=\"en\">", page, StringComparison.Ordinal);
        Assert.Contains("<code>2:", page, StringComparison.Ordinal);
        Assert.Contains("&lt;img src=x onerror=alert(1)&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<img src=x", page, StringComparison.Ordinal);
        foreach (var label in new[] { ">ready<", ">draft<", ">later<", ">invalid<" }) Assert.Contains(label, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Buttons_for_what_does_not_exist_do_nothing()
    {
        await using var site = await WithIssuesAsync();
        using var editor = await site.EditorAsync();
        using var form = TestSite.FormOf(await editor.GetStringAsync(new Uri("/hangfire/issues", UriKind.Relative), Cancel));
        foreach (var path in new[] { "/hangfire/issues/none/do/send", "/hangfire/issues/week-1/do/pause", "/hangfire/issues/none/time", "/hangfire/issues/week-1/time", "/hangfire/issues/..%2F..%2Fetc%2Fpasswd/do/preview" })
        {
            using var answer = await editor.PostAsync(new Uri(path, UriKind.Relative), form, Cancel);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
        using var get = await editor.GetAsync(new Uri("/hangfire/issues/week-1/do/send", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
        Assert.Equal(0, site.Inbox.Count);
    }

    private static string State(TestSite site, long mailing) => site.Installation.Database.Mailings.FindAsync(mailing, CancellationToken.None).Result!.State.ToString();

    private static Task<TestSite> WithIssuesAsync() => TestSite.StartAsync(folder =>
    {
        folder.Write("subscribers/sample.csv", TestSite.List(12));
        folder.Write("issues/week-1.md", TestSite.Issue("First"));
        folder.Write("issues/week-2.md", TestSite.Issue("\"<img src=x onerror=alert(1)>\"", "draft: true\n"));
        folder.Write("issues/week-3.md", TestSite.Issue("Third", "date: 2999-01-01\n"));
        folder.Write("issues/week-4.md", "---\ntitle:\n---\n\nHello.\n");
    });
}
