using System.Globalization;
using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using WeeklyDigest.Server.Desk;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Tests.Web;

/// <summary>How long who has signed in stays in.</summary>
public sealed class SessionTests
{
    private const string Scheme = CookieAuthenticationDefaults.AuthenticationScheme;
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_changed_password_ends_the_sessions_of_the_one_before()
    {
        var (before, after) = (EditorPasswords.Hash("correct horse"), EditorPasswords.Hash("battery staple"));
        await using var site = await TestSite.StartAsync(null, ("Editors:Users:0:Name", "Ada"), ("Editors:Users:0:PasswordHash", after));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(site, EditorsOnly.Principal("Ada", EditorsOnly.ByPassword, EditorPasswords.MarkOf(new EditorUser("Ada", after)))));
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(site, EditorsOnly.Principal("Ada", EditorsOnly.ByPassword, EditorPasswords.MarkOf(new EditorUser("Ada", before)))));
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(site, EditorsOnly.Principal("Eve", EditorsOnly.ByPassword, EditorPasswords.MarkOf(new EditorUser("Ada", after)))));
        // As a version before gave out.
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(site, EditorsOnly.Principal("Ada", EditorsOnly.ByPassword)));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(29, true)]
    [InlineData(31, false)]
    public async Task Who_came_in_by_a_link_stays_for_thirty_days_however_often_the_cookie_is_renewed(int days, bool isIn)
    {
        await using var site = await TestSite.StartAsync();
        Assert.Equal(isIn ? HttpStatusCode.OK : HttpStatusCode.Redirect, await StatusAsync(site, EditorsOnly.LinkHolder(TimeProvider.System.GetUtcNow().AddDays(-days))));
    }

    // With a cookie as a sign-in gives it, or a renewal.
    private static async Task<HttpStatusCode> StatusAsync(TestSite site, ClaimsPrincipal editor)
    {
        var options = site.App.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get(Scheme);
        var now = TimeProvider.System.GetUtcNow();
        var ticket = new AuthenticationTicket(editor, new AuthenticationProperties { IssuedUtc = now, ExpiresUtc = now.AddDays(14) }, Scheme);
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = site.Address };
        client.DefaultRequestHeaders.Add("Cookie", string.Create(CultureInfo.InvariantCulture, $"{options.Cookie.Name}={options.TicketDataFormat.Protect(ticket)}"));
        using var answer = await client.GetAsync(new Uri("/inbox", UriKind.Relative), Cancel);
        return answer.StatusCode;
    }
}
