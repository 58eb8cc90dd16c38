using System.Net;
using WeeklyDigest.Server.Desk;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Tests.Web;

public sealed class OpenIdSignInTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ada@example.com", true, "/inbox")]
    [InlineData("ADA@example.com", true, "/inbox")]
    [InlineData("ada@example.com", false, "/sign-in?problem=stranger")]
    [InlineData("eve@example.com", true, "/sign-in?problem=stranger")]
    [InlineData("", true, "/sign-in?problem=stranger")]
    public async Task Lets_in_who_is_on_the_list_with_a_verified_address(string email, bool verified, string target)
    {
        await using var service = await SignInService.StartAsync();
        (service.Email, service.IsVerified) = (email, verified);
        await using var site = await StartAsync(service);
        using var proxy = new TlsProxy();
        using var client = new HttpClient(proxy) { BaseAddress = site.Address };

        Assert.Equal(target, await SignInAsync(site, client));
        Assert.Equal([], proxy.Insecure);

        Assert.Equal("https://news.example.com/sign-in/openid/callback", service.RedirectUri);
        using var inside = await client.GetAsync(new Uri("/inbox", UriKind.Relative), Cancel);
        Assert.Equal(target == "/inbox" ? HttpStatusCode.OK : HttpStatusCode.Redirect, inside.StatusCode);
    }

    [Fact]
    public async Task Who_comes_without_an_address_is_on_no_list()
    {
        await using var site = await TestSite.StartAsync();
        var service = new OpenIdConnectSettings(new Uri("https://login.example.com"), "digest", "secret", [""]);
        var settings = site.Installation.Settings with { Editors = new EditorsSettings([], service) };

        Assert.False(OpenIdSignIn.Allows(settings, ""));
    }

    [Fact]
    public async Task A_forged_way_back_leads_nowhere()
    {
        await using var service = await SignInService.StartAsync();
        await using var site = await StartAsync(service);
        using var client = site.Client();

        using var answer = await client.GetAsync(new Uri("/sign-in/openid/callback?code=x&state=y", UriKind.Relative), Cancel);

        Assert.Equal("/sign-in?problem=service", answer.Headers.Location!.ToString());
    }

    private static Task<TestSite> StartAsync(SignInService service) => TestSite.StartAsync(null,
        ("Newsletter:BaseUrl", "https://news.example.com"),
        ("Editors:OpenIdConnect:Authority", service.Address),
        ("Editors:OpenIdConnect:ClientId", "digest"),
        ("Editors:OpenIdConnect:ClientSecret", "secret"),
        ("Editors:OpenIdConnect:Emails:0", "ada@example.com"));

    // What a browser does, except that the public address is this machine's.
    private static async Task<string> SignInAsync(TestSite site, HttpClient client)
    {
        Assert.Contains("/sign-in/openid?returnUrl=", await client.GetStringAsync(new Uri("/sign-in?returnUrl=/inbox", UriKind.Relative), Cancel), StringComparison.Ordinal);
        using var away = await client.GetAsync(new Uri("/sign-in/openid?returnUrl=/inbox", UriKind.Relative), Cancel);
        using var back = await client.GetAsync(away.Headers.Location, Cancel);
        using var inside = await client.GetAsync(new Uri(site.Address, back.Headers.Location!.PathAndQuery), Cancel);
        return inside.Headers.Location!.ToString();
    }

    /// <summary>A browser and the proxy before us that ends its TLS, and asks for us by our own address.</summary>
    private sealed class TlsProxy() : DelegatingHandler(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        private static readonly Uri Public = new("https://news.example.com");
        private readonly CookieContainer cookies = new();

        /// <summary>Cookies that would go over http as well; not that of forms, which is worth nothing alone.</summary>
        public List<string> Insecure { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation("Cookie", cookies.GetCookieHeader(new Uri(Public, request.RequestUri!.PathAndQuery)));
            var answer = await base.SendAsync(request, cancellationToken);
            foreach (var cookie in answer.Headers.TryGetValues("Set-Cookie", out var set) ? set : [])
            {
                cookies.SetCookies(new Uri(Public, request.RequestUri.PathAndQuery), cookie);
                if (!cookie.Contains("; secure", StringComparison.OrdinalIgnoreCase) && !cookie.StartsWith("weeklydigest-form", StringComparison.Ordinal)) Insecure.Add(cookie);
            }
            return answer;
        }
    }
}
