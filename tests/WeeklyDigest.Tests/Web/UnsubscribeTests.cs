using System.Net;
using System.Net.Sockets;
using System.Text;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Tests.Web;

public sealed class UnsubscribeTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Looking_at_the_page_changes_nothing()
    {
        await using var site = await TestSite.StartAsync();
        var token = await site.TokenAsync(await site.PublishedAsync("week-1", "/posts/week-1", "<html></html>", "ada@example.com"), "ada@example.com");
        using var client = site.Client();

        var page = await client.GetStringAsync(new Uri("/unsubscribe/" + token, UriKind.Relative), Cancel);
        using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/unsubscribe/" + token), Cancel);

        Assert.Contains("<button class=\"primary\">Unsubscribe</button>", page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(SubscriberStatus.Active, await site.StatusAsync("ada@example.com"));
    }

    [Theory]
    [InlineData("List-Unsubscribe=One-Click")]
    [InlineData("")]
    public async Task A_post_unsubscribes_at_once_and_twice_is_as_once(string body)
    {
        await using var site = await TestSite.StartAsync();
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<html></html>", "ada@example.com", "bob@example.com");
        var token = await site.TokenAsync(mailing, "ada@example.com");
        using var client = site.Client();

        foreach (var _ in new[] { 1, 2 })
        {
            using var content = new StringContent(body, null, "application/x-www-form-urlencoded");
            using var answer = await client.PostAsync(new Uri("/unsubscribe/" + token, UriKind.Relative), content, Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains("You are unsubscribed", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }

        Assert.Equal(SubscriberStatus.Unsubscribed, await site.StatusAsync("ada@example.com"));
        Assert.Equal(SubscriberStatus.Active, await site.StatusAsync("bob@example.com"));
        var page = await client.GetStringAsync(new Uri("/unsubscribe/" + token, UriKind.Relative), Cancel);
        Assert.DoesNotContain("<button", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_hangs_up_before_the_answer_has_left_all_the_same()
    {
        await using var site = await TestSite.StartAsync();
        string[] readers = [.. Enumerable.Range(1, 30).Select(i => $"reader{i}@example.com")];
        var mailing = await site.PublishedAsync("week-1", "/posts/week-1", "<html></html>", readers);
        foreach (var reader in readers)
        {
            using var socket = new TcpClient("127.0.0.1", site.Address.Port);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /unsubscribe/{await site.TokenAsync(mailing, reader)} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 26\r\n\r\nList-Unsubscribe=One-Click"), Cancel);
        }

        foreach (var reader in readers)
            await Eventually.HoldsAsync(() => site.StatusAsync(reader).Result == SubscriberStatus.Unsubscribed, reader + " has left", TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Who_bounced_can_leave_all_the_same()
    {
        await using var site = await TestSite.StartAsync();
        var token = await site.TokenAsync(await site.PublishedAsync("week-1", "/posts/week-1", "<html></html>", "ada@example.com"), "ada@example.com");
        await site.BounceAsync("ada@example.com");
        using var client = site.Client();
        Assert.Contains("<button", await client.GetStringAsync(new Uri("/unsubscribe/" + token, UriKind.Relative), Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_one_click_post_may_be_multipart()
    {
        await using var site = await TestSite.StartAsync();
        var token = await site.TokenAsync(await site.PublishedAsync("week-1", "/posts/week-1", "<html></html>", "ada@example.com"), "ada@example.com");
        using var client = site.Client();
        using var content = new MultipartFormDataContent { { new StringContent("One-Click"), "List-Unsubscribe" } };

        using var answer = await client.PostAsync(new Uri("/unsubscribe/" + token, UriKind.Relative), content, Cancel);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(SubscriberStatus.Unsubscribed, await site.StatusAsync("ada@example.com"));
    }

    [Fact]
    public async Task A_link_that_is_not_ours_is_explained_and_not_found()
    {
        await using var site = await TestSite.StartAsync();
        var token = await site.TokenAsync(await site.PublishedAsync("week-1", "/posts/week-1", "<html></html>", "ada@example.com"), "ada@example.com");
        using var client = site.Client();

        foreach (var bad in new[] { "x", token[..^1], token + "A", "%3Cscript%3E", new string('a', 4000), Flipped(token) })
        {
            using var shown = await client.GetAsync(new Uri("/unsubscribe/" + bad, UriKind.Relative), Cancel);
            using var posted = await client.PostAsync(new Uri("/unsubscribe/" + bad, UriKind.Relative), null, Cancel);
            Assert.Equal(HttpStatusCode.NotFound, shown.StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, posted.StatusCode);
            Assert.Contains("This link does not work", await shown.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }
        Assert.Equal(SubscriberStatus.Active, await site.StatusAsync("ada@example.com"));
    }

    [Fact]
    public async Task A_previews_link_says_so()
    {
        await using var site = await TestSite.StartAsync();
        using var client = site.Client();
        var path = new Uri("/unsubscribe/" + site.Installation.LinkTokens.PreviewToken(), UriKind.Relative);

        Assert.Contains("This is a preview", await client.GetStringAsync(path, Cancel), StringComparison.Ordinal);
        using var posted = await client.PostAsync(path, null, Cancel);
        Assert.Equal(HttpStatusCode.OK, posted.StatusCode);
        Assert.Contains("This is a preview", await posted.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_leaks_neither_through_headers_nor_through_the_log()
    {
        await using var site = await TestSite.StartAsync();
        var token = await site.TokenAsync(await site.PublishedAsync("week-1", "/posts/week-1", "<html></html>", "ada@example.com"), "ada@example.com");
        using var client = site.Client();

        using var answer = await client.GetAsync(new Uri("/unsubscribe/" + token, UriKind.Relative), Cancel);
        using var posted = await client.PostAsync(new Uri("/unsubscribe/" + token, UriKind.Relative), null, Cancel);

        Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
        Assert.Equal("noindex, nofollow", answer.Headers.GetValues("X-Robots-Tag").Single());
        Assert.True(answer.Headers.CacheControl!.NoStore);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
        Assert.NotEmpty(site.Log);
        lock (site.Log) Assert.DoesNotContain(site.Log, line => line.Contains(token, StringComparison.Ordinal));
    }

    private static string Flipped(string token) => (token[0] == 'A' ? 'B' : 'A') + token[1..];
}
