using System.Diagnostics;
using System.Globalization;
using System.Net;
using MimeKit;

namespace WeeklyDigest.Tests.Web;

public sealed class InboxPagesTests(Browser browser)
{
    private const string Hostile = """
        <html><head><style>@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } }</style></head>
        <body><h1 id="top">Hello</h1><script>parent.document.title = 'owned'</script><img src="https://tracker.example/pixel.gif" onerror="document.title='owned'">
        <img id="inline" src="cid:picture@test" width="1" height="1"><form action="https://evil.example"><button>Go</button></form>
        <a href="javascript:alert(1)">run</a></body></html>
        """;

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Shows_a_message_in_every_view()
    {
        await using var site = await TestSite.StartAsync();
        await ReceiveAsync(site, "Greetings <b>& more</b>", Hostile);
        using var editor = await site.EditorAsync();
        var id = site.Inbox.Page(0, 1)[0].Id;

        var list = await editor.GetStringAsync(new Uri("/inbox", UriKind.Relative), Cancel);
        var text = await editor.GetStringAsync(new Uri($"/inbox/{id}?view=text", UriKind.Relative), Cancel);
        var headers = await editor.GetStringAsync(new Uri($"/inbox/{id}?view=headers", UriKind.Relative), Cancel);
        var source = await editor.GetStringAsync(new Uri($"/inbox/{id}?view=source", UriKind.Relative), Cancel);
        using var download = await editor.GetAsync(new Uri($"/inbox/{id}/message.eml", UriKind.Relative), Cancel);

        Assert.Contains("Greetings &lt;b&gt;&amp; more&lt;/b&gt;", list, StringComparison.Ordinal);
        Assert.Contains("Hello in plain &lt;text&gt;", text, StringComparison.Ordinal);
        Assert.Contains("<dt>Message-Id</dt><dd>&lt;one@test&gt;</dd>", headers, StringComparison.Ordinal);
        Assert.Contains("multipart/", source, StringComparison.Ordinal);
        Assert.Equal("message/rfc822", download.Content.Headers.ContentType!.MediaType);
        Assert.Equal(id + ".eml", download.Content.Headers.ContentDisposition!.FileName);
        Assert.Equal(site.Inbox.Read(id)!.Bytes.ToArray(), await download.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact]
    public async Task A_messages_frame_may_load_run_and_send_nothing()
    {
        await using var site = await TestSite.StartAsync();
        await ReceiveAsync(site, "Hostile", Hostile);
        using var editor = await site.EditorAsync();
        var id = site.Inbox.Page(0, 1)[0].Id;

        using var frame = await editor.GetAsync(new Uri($"/inbox/{id}/frame?scheme=dark", UriKind.Relative), Cancel);

        var policy = frame.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("sandbox allow-popups", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("allow-scripts", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("allow-same-origin", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        Assert.Equal("no-referrer", frame.Headers.GetValues("Referrer-Policy").Single());
    }

    [Fact]
    public async Task In_a_browser_the_message_follows_the_chosen_colours_and_stays_in_its_cage()
    {
        await using var site = await TestSite.StartAsync();
        await ReceiveAsync(site, "Hostile", Hostile);
        var page = await browser.OpenAsync();
        var remote = new List<string>();
        page.Request += (_, request) => { if (request.Url.Contains("tracker.example", StringComparison.Ordinal) && request.Failure is null) remote.Add(request.Url); };
        await SignInAsync(page, site, "/inbox");
        await page.Locator(".messages a").First.ClickAsync();

        foreach (var (link, background) in new[] { ("light", "rgba(0, 0, 0, 0)"), ("dark", "rgb(17, 17, 17)") })
        {
            await page.Locator($"a[data-look={link}]").ClickAsync();
            var frame = page.FrameLocator("iframe");
            await frame.Locator("#top").WaitForAsync();
            Assert.Equal(background, await frame.Locator("body").EvaluateAsync<string>("body => getComputedStyle(body).backgroundColor"));
            Assert.Equal(1, await frame.Locator("#inline").EvaluateAsync<int>("picture => picture.naturalWidth"));
        }
        await page.Locator("a[data-look=narrow]").ClickAsync();
        await page.WaitForURLAsync("**width=narrow**"); // until it is loaded: a key pressed before its script is there is lost
        Assert.Equal(320, await page.Locator("iframe").EvaluateAsync<int>("frame => frame.clientWidth"));
        Assert.Equal("Hostile", await page.TitleAsync());
        await page.Locator("body").PressAsync("u"); // the focus may be in the frame
        await page.WaitForURLAsync("**/inbox");
        await Browser.CloseAsync(page);
    }

    [Fact]
    public async Task The_pages_are_accessible()
    {
        await using var site = await TestSite.StartAsync();
        await ReceiveAsync(site, "Accessible", "<html lang='en'><head><title>x</title></head><body><main><h1>Hello</h1></main></body></html>");
        foreach (var dark in new[] { false, true })
        {
            var page = await browser.OpenAsync(width: dark ? 360 : 1280, dark: dark);
            await SignInAsync(page, site, "/inbox");
            var id = site.Inbox.Page(0, 1)[0].Id;
            foreach (var path in new[] { "/inbox", $"/inbox/{id}", $"/inbox/{id}?view=text", $"/inbox/{id}?view=headers", "/", "/unsubscribe/x" })
            {
                await page.GotoAsync(new Uri(site.Address, path).ToString());
                var violations = await Axe.ViolationsAsync(page, frames: false); // the message itself is its author's, and its frame runs no script, not even this one
                Assert.True(violations.Count == 0, path + ": " + string.Join("; ", violations));
                Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), path + " scrolls sideways");
            }
            await Browser.CloseAsync(page);
        }
    }

    [Fact]
    public async Task Ten_thousand_messages_are_listed_fast()
    {
        await using var site = await TestSite.StartAsync();
        var folder = site.Installation.Settings.Paths.Inbox;
        Parallel.For(0, 10_000, i => File.WriteAllText(
            Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"20250101T000000{i:D7}-0123456789ab.eml")),
            $"From: a@example.com\r\nTo: b{i}@example.com\r\nSubject: Number {i}\r\n\r\nHello\r\n"));
        using var editor = await site.EditorAsync();
        await editor.GetStringAsync(new Uri("/inbox", UriKind.Relative), Cancel);

        var clock = Stopwatch.StartNew();
        var first = await editor.GetStringAsync(new Uri("/inbox", UriKind.Relative), Cancel);
        var last = await editor.GetStringAsync(new Uri("/inbox?page=200", UriKind.Relative), Cancel);

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), clock.Elapsed.ToString());
        Assert.Contains("Number 9999", first, StringComparison.Ordinal);
        Assert.Contains("Page 1 of 200", first, StringComparison.Ordinal);
        Assert.Contains(">Number 0<", last, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/inbox/x")]
    [InlineData("/inbox/..%2F..%2Fappsettings/frame")]
    [InlineData("/inbox/20250101T0000000000000-000000000000")]
    [InlineData("/inbox/20250101T0000000000000-000000000000/message.eml")]
    public async Task A_message_that_is_not_there_is_not_found(string path)
    {
        await using var site = await TestSite.StartAsync();
        using var editor = await site.EditorAsync();
        using var answer = await editor.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    internal static async Task SignInAsync(Microsoft.Playwright.IPage page, TestSite site, string returnUrl)
    {
        await page.GotoAsync(await site.SignInLinkAsync() + "&returnUrl=" + Uri.EscapeDataString(returnUrl));
        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.WaitForURLAsync("**" + returnUrl);
    }

    private static async Task ReceiveAsync(TestSite site, string subject, string html)
    {
        var picture = new MimePart("image", "gif") { ContentId = "picture@test", Content = new MimeContent(new MemoryStream(Convert.FromBase64String("R0lGODlhAQABAAAAACwAAAAAAQABAAA="))), ContentTransferEncoding = ContentEncoding.Base64 };
        using var message = new MimeMessage { Subject = subject, MessageId = "one@test", Body = new MultipartAlternative { new TextPart("plain") { Text = "Hello in plain <text>" }, new MultipartRelated { new TextPart("html") { Text = html }, picture } } };
        message.From.Add(new MailboxAddress("Weekly", "digest@example.com"));
        message.To.Add(new MailboxAddress("Ada", "ada@example.com"));
        using var client = new MailKit.Net.Smtp.SmtpClient();
        await client.ConnectAsync("127.0.0.1", site.InboxPort, MailKit.Security.SecureSocketOptions.None, Cancel);
        await client.SendAsync(message, Cancel);
        await client.DisconnectAsync(true, Cancel);
    }
}
