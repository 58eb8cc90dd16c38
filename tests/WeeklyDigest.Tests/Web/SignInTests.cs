using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using WeeklyDigest.Server.Desk;

namespace WeeklyDigest.Tests.Web;

public sealed class SignInTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    // Whatever is public has to be named here: a new endpoint is the editor's unless somebody decides otherwise.
    private static readonly string[] ForEverybody =
    [
        "/", "/healthz/live", "/healthz/ready", "/unsubscribe/{token}", "/sign-in", "/sign-in/link", "/sign-in/password", "/sign-in/openid",
        "{**path}",
    ];

    [Fact]
    public async Task Strangers_get_nothing_of_any_endpoint_that_is_not_public()
    {
        await using var site = await TestSite.StartAsync();
        using var client = site.Client();
        var endpoints = ((IEndpointRouteBuilder)site.App).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();
        var closed = endpoints.Select(endpoint => endpoint.RoutePattern.RawText!)
            .Where(pattern => !ForEverybody.Contains(pattern) && !pattern.StartsWith("/site/", StringComparison.Ordinal))
            .Select(pattern => pattern.Replace("{**path}", "", StringComparison.Ordinal).Replace("{**rest}", "x", StringComparison.Ordinal).Replace("{id}", "20250101T0000000000000-000000000000", StringComparison.Ordinal))
            .Concat(["/hangfire/recurring", "/hangfire/stats", "/hangfire/issues", "/hangfire/jobs/enqueued", "/hangfire/servers", "/hangfire/js18250", "/hangfire/recurring/trigger", "/hangfire/issues/week-1/do/send", "/HANGFIRE/issues", "/hangfire//issues"])
            .Distinct().ToList();
        Assert.True(closed.Count >= 16, string.Join(", ", closed));

        foreach (var path in closed)
        {
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Head, HttpMethod.Options })
            {
                using var request = new HttpRequestMessage(method, path);
                foreach (var header in new[] { "X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host" }) request.Headers.TryAddWithoutValidation(header, header == "Forwarded" ? "for=127.0.0.1" : "127.0.0.1");
                using var answer = await client.SendAsync(request, Cancel);
                var sentAway = answer.StatusCode == HttpStatusCode.Redirect && answer.Headers.Location!.ToString().Contains("/sign-in?", StringComparison.Ordinal);
                Assert.True(sentAway || answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.MethodNotAllowed || (method == HttpMethod.Head && answer.StatusCode == HttpStatusCode.NotFound), $"{method} {path}: {answer.StatusCode}");
                Assert.Equal("", await answer.Content.ReadAsStringAsync(Cancel));
            }
        }
    }

    [Fact]
    public async Task A_link_lets_in_once()
    {
        await using var site = await TestSite.StartAsync();
        var link = await site.SignInLinkAsync();
        using var scanner = site.Client();
        using var editor = site.Client();
        using var thief = site.Client();
        Assert.Contains("<button", await scanner.GetStringAsync(new Uri(link), Cancel), StringComparison.Ordinal);

        using var first = await UseAsync(editor, link, returnUrl: "/inbox?page=2");
        using var second = await UseAsync(thief, link);

        Assert.Equal("/inbox?page=2", first.Headers.Location!.ToString());
        Assert.Equal(HttpStatusCode.Forbidden, second.StatusCode);
        using var inside = await editor.GetAsync(new Uri("/inbox", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.OK, inside.StatusCode);
        using var outside = await thief.GetAsync(new Uri("/inbox", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.Redirect, outside.StatusCode);
        var cookie = first.Headers.GetValues("Set-Cookie").Single(value => value.StartsWith("weeklydigest=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        lock (site.Log) Assert.DoesNotContain(site.Log, line => line.Contains(link[^43..], StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_many_who_use_a_link_at_once_one_gets_in()
    {
        await using var site = await TestSite.StartAsync();
        var link = await site.SignInLinkAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using var client = site.Client();
            using var answer = await UseAsync(client, link);
            return answer.StatusCode;
        }));
        Assert.Equal(1, answers.Count(status => status == HttpStatusCode.Redirect));
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("")]
    public async Task Nobody_is_sent_elsewhere_after_the_sign_in(string returnUrl)
    {
        await using var site = await TestSite.StartAsync();
        using var client = site.Client();
        using var answer = await UseAsync(client, await site.SignInLinkAsync(), returnUrl);
        Assert.Equal("/hangfire/issues", answer.Headers.Location!.ToString());
    }

    [Fact]
    public async Task A_password_lets_in_and_guessing_is_slowed_down()
    {
        await using var site = await TestSite.StartAsync(null, ("Editors:Users:0:Name", "Ada"), ("Editors:Users:0:PasswordHash", EditorPasswords.Hash("correct horse")));
        using var client = site.Client();

        using var right = await PasswordAsync(client, "ada", "correct horse");
        Assert.Equal(HttpStatusCode.Redirect, right.StatusCode);
        using var inside = await client.GetAsync(new Uri("/inbox", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.OK, inside.StatusCode);

        using var guesser = site.Client();
        foreach (var _ in Enumerable.Range(0, 5))
        {
            using var wrong = await PasswordAsync(guesser, "Ada", "wrong");
            Assert.Equal(HttpStatusCode.Forbidden, wrong.StatusCode);
        }
        using var refused = await PasswordAsync(guesser, "ADA", "correct horse");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 300);
        using var stranger = await PasswordAsync(guesser, "nobody", "correct horse");
        Assert.Equal(HttpStatusCode.Forbidden, stranger.StatusCode);
    }

    [Fact]
    public async Task Forms_without_their_token_are_refused()
    {
        await using var site = await TestSite.StartAsync();
        using var stranger = site.Client();
        var secret = await site.App.Services.GetRequiredService<SignIn>().NewSecretAsync(Cancel);
        using var forged = new FormUrlEncodedContent([KeyValuePair.Create("token", secret)]);
        using var signIn = await stranger.PostAsync(new Uri("/sign-in/link", UriKind.Relative), forged, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, signIn.StatusCode);

        using var editor = await site.EditorAsync();
        foreach (var path in new[] { "/hangfire/issues/week-1/do/send", "/hangfire/recurring/trigger", "/hangfire/jobs/actions/requeue/1", "/hangfire/stats" })
        {
            using var answer = await editor.PostAsync(new Uri(path, UriKind.Relative), null, Cancel);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }
        using var signOut = await editor.PostAsync(new Uri("/sign-out", UriKind.Relative), null, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, signOut.StatusCode);
    }

    [Fact]
    public async Task Who_signs_out_is_out()
    {
        await using var site = await TestSite.StartAsync();
        using var editor = await site.EditorAsync();
        using var form = TestSite.FormOf(await editor.GetStringAsync(new Uri("/sign-out", UriKind.Relative), Cancel));

        using var answer = await editor.PostAsync(new Uri("/sign-out", UriKind.Relative), form, Cancel);

        Assert.Equal("/sign-in", answer.Headers.Location!.ToString());
        using var after = await editor.GetAsync(new Uri("/inbox", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.Redirect, after.StatusCode);
    }

    [Fact]
    public async Task A_copy_of_the_cookie_is_worth_nothing_once_its_owner_has_signed_out()
    {
        await using var site = await TestSite.StartAsync();
        using var other = await site.EditorAsync();
        var cookies = new CookieContainer();
        using var editor = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = cookies }) { BaseAddress = site.Address };
        using var signedIn = await UseAsync(editor, await site.SignInLinkAsync());
        var copied = cookies.GetCookieHeader(site.Address);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(site, copied));
        using var form = TestSite.FormOf(await editor.GetStringAsync(new Uri("/sign-out", UriKind.Relative), Cancel));
        using var answer = await editor.PostAsync(new Uri("/sign-out", UriKind.Relative), form, Cancel);
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(site, copied));
        // Who came in by another sign-in stays.
        using var still = await other.GetAsync(new Uri("/inbox", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }

    [Fact]
    public async Task Every_page_carries_its_policy()
    {
        await using var site = await TestSite.StartAsync();
        using var editor = await site.EditorAsync();
        foreach (var path in new[] { "/", "/posts/none", "/sign-in", "/inbox", "/hangfire/recurring", "/unsubscribe/x", "/healthz/live" })
        {
            using var answer = await editor.GetAsync(new Uri(path, UriKind.Relative), Cancel);
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("DENY", answer.Headers.GetValues("X-Frame-Options").Single());
            var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("script-src 'self' 'unsafe-inline'", policy, StringComparison.Ordinal);
            Assert.False(answer.Headers.Contains("Server"));
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(TestSite site, string cookie)
    {
        using var thief = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = site.Address };
        thief.DefaultRequestHeaders.Add("Cookie", cookie);
        using var answer = await thief.GetAsync(new Uri("/inbox", UriKind.Relative), Cancel);
        return answer.StatusCode;
    }

    private static async Task<HttpResponseMessage> UseAsync(HttpClient client, string link, string? returnUrl = null)
    {
        var page = await client.GetStringAsync(new Uri(returnUrl is null ? link : $"{link}&returnUrl={Uri.EscapeDataString(returnUrl)}"), Cancel);
        using var form = TestSite.FormOf(page);
        return await client.PostAsync(new Uri("/sign-in/link", UriKind.Relative), form, Cancel);
    }

    private static async Task<HttpResponseMessage> PasswordAsync(HttpClient client, string name, string password)
    {
        var page = await client.GetStringAsync(new Uri("/sign-in", UriKind.Relative), Cancel);
        using var form = TestSite.FormOf(page, ("name", name), ("password", password));
        return await client.PostAsync(new Uri("/sign-in/password", UriKind.Relative), form, Cancel);
    }
}
