using System.Net;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using WeeklyDigest.Server.Desk;

namespace WeeklyDigest.Tests.Web;

/// <summary>Which cookies go over TLS only, and where who is not signed in is sent, behind a proxy that ends TLS.</summary>
public sealed class PublicCookieTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    // A proxy may pass on the host, or ask for us by our own address.
    [Theory]
    [InlineData("https://news.example.com", "news.example.com", null, true)]
    [InlineData("https://news.example.com", "127.0.0.1:5080", "https://news.example.com", true)]
    [InlineData("https://news.example.com", "127.0.0.1:5080", "http://127.0.0.1:5080", false)]
    [InlineData("https://news.example.com", "127.0.0.1:5080", null, false)]
    [InlineData("http://news.example.com", "news.example.com", "http://news.example.com", false)]
    [InlineData("https://bücher.example", "xn--bcher-kva.example", null, true)]
    [InlineData("https://bücher.example", "127.0.0.1:5080", "https://xn--bcher-kva.example", true)]
    public async Task Who_signs_in_over_TLS_gets_cookies_for_TLS_alone(string baseUrl, string host, string? origin, bool isSecure)
    {
        await using var site = await TestSite.StartAsync(null, ("Newsletter:BaseUrl", baseUrl));
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = site.Address };
        client.DefaultRequestHeaders.Host = host;
        using var shown = await client.GetAsync(new Uri(site.Address, new Uri(await site.SignInLinkAsync()).PathAndQuery), Cancel);
        Assert.Equal("strict-origin", shown.Headers.GetValues("Referrer-Policy").Single());
        var form = shown.Headers.GetValues("Set-Cookie").Single();
        Assert.Equal(isSecure && origin is null, form.Contains("; secure", StringComparison.OrdinalIgnoreCase));

        using var request = new HttpRequestMessage(HttpMethod.Post, "/sign-in/link") { Content = TestSite.FormOf(await shown.Content.ReadAsStringAsync(Cancel)) };
        request.Headers.Add("Cookie", form.Split(';')[0]);
        if (origin is not null) request.Headers.Add("Origin", origin);
        using var answer = await client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        var session = answer.Headers.GetValues("Set-Cookie").Single(value => value.StartsWith("weeklydigest=", StringComparison.Ordinal));
        Assert.Equal(isSecure, session.Contains("; secure", StringComparison.OrdinalIgnoreCase));
        Assert.Contains("; path=/;", session, StringComparison.OrdinalIgnoreCase);
    }

    // A renewal is written with what this builder says, and nothing else.
    [Fact]
    public async Task A_renewed_session_stays_as_it_was()
    {
        await using var site = await TestSite.StartAsync(null, ("Newsletter:BaseUrl", "https://news.example.com"));
        var cookie = site.App.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get(CookieAuthenticationDefaults.AuthenticationScheme).Cookie;
        var context = new DefaultHttpContext();
        context.Request.Host = new HostString("news.example.com");
        Assert.True(cookie.Build(context).Secure);
        context.Request.Host = new HostString("127.0.0.1", 5080);
        Assert.False(cookie.Build(context).Secure);
        var session = new Dictionary<string, string?>();
        PublicCookie.Note(session);
        PublicCookie.Recall(context, session);
        Assert.True(cookie.Build(context).Secure);
    }

    [Fact]
    public async Task Who_is_not_signed_in_is_sent_to_the_same_host_and_scheme()
    {
        await using var site = await TestSite.StartAsync();
        using var client = site.Client();
        using var answer = await client.GetAsync(new Uri("/inbox?page=2", UriKind.Relative), Cancel);
        Assert.Equal("/sign-in?returnUrl=%2Finbox%3Fpage%3D2", answer.Headers.Location!.OriginalString);
    }
}
