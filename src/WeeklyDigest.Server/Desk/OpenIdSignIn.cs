using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Desk;

/// <summary>Sign-in by a service (OpenID Connect Core 1.0, code flow with PKCE), where the settings name one. An account there is not enough: its verified address has to be on our list.</summary>
internal static class OpenIdSignIn
{
    /// <summary>Name of the authentication scheme.</summary>
    public const string Scheme = "openid";

    /// <summary>Where the service sends people back to; this address, on the public base address, is registered there.</summary>
    public const string CallbackPath = "/sign-in/openid/callback";

    /// <summary>Registers the service when there is one.</summary>
    public static void Add(AuthenticationBuilder authentication, ServerSettings settings)
    {
        if (settings.Editors.OpenIdConnect is { } service)
            authentication.AddOpenIdConnect(Scheme, service.Authority.Host, options => Configure(options, service, settings));
    }

    /// <summary>Whether an address is on the list of those who may enter; none is not, whatever the list says.</summary>
    public static bool Allows(ServerSettings settings, string email)
        => email.Length > 0 && settings.Editors.OpenIdConnect?.Emails.Contains(email, StringComparer.OrdinalIgnoreCase) == true;

    private static void Configure(OpenIdConnectOptions options, OpenIdConnectSettings service, ServerSettings settings)
    {
        options.Authority = service.Authority.AbsoluteUri;
        options.RequireHttpsMetadata = !service.Authority.IsLoopback;
        options.ClientId = service.ClientId;
        options.ClientSecret = service.ClientSecret;
        options.ResponseType = OpenIdConnectResponseType.Code;
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        options.UsePkce = true;
        options.SaveTokens = false;
        options.MapInboundClaims = false;
        options.GetClaimsFromUserInfoEndpoint = true;
        options.Scope.Clear();
        options.Scope.Add("openid");
        options.Scope.Add("email");
        options.CallbackPath = CallbackPath;
        options.SignInScheme = CookieAuthenticationDefaults.AuthenticationScheme;
        ConfigureCookies(options, settings.Newsletter.BaseUrl);
        // What the service is told stands in its own settings: our public address, not what a proxy made of the request.
        options.Events.OnRedirectToIdentityProvider = context =>
        {
            context.ProtocolMessage.RedirectUri = settings.Newsletter.UrlOf(CallbackPath);
            return Task.CompletedTask;
        };
        options.Events.OnUserInformationReceived = context =>
        {
            foreach (var claim in new[] { "email", "email_verified" })
                if (context.User.RootElement.TryGetProperty(claim, out var value) && context.Principal?.HasClaim(known => known.Type == claim) == false)
                    ((ClaimsIdentity)context.Principal.Identity!).AddClaim(new Claim(claim, value.ToString()));
            return Task.CompletedTask;
        };
        options.Events.OnTicketReceived = context => LetIn(context, settings);
        options.Events.OnRemoteFailure = context =>
        {
            context.Response.Redirect("/sign-in?problem=service");
            context.HandleResponse();
            return Task.CompletedTask;
        };
    }

    // Coming back from the service is a top-level GET, which SameSite=Lax cookies survive. It is to the public address: no other has to get them.
    private static void ConfigureCookies(OpenIdConnectOptions options, Uri address)
    {
        var secure = address.Scheme == Uri.UriSchemeHttps ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
        options.CorrelationCookie.SameSite = SameSiteMode.Lax;
        options.CorrelationCookie.SecurePolicy = secure;
        options.NonceCookie.SameSite = SameSiteMode.Lax;
        options.NonceCookie.SecurePolicy = secure;
    }

    private static Task LetIn(TicketReceivedContext context, ServerSettings settings)
    {
        var email = context.Principal?.FindFirstValue("email") ?? "";
        var verified = string.Equals(context.Principal?.FindFirstValue("email_verified"), "true", StringComparison.OrdinalIgnoreCase);
        if (verified && Allows(settings, email))
        {
            context.Principal = EditorsOnly.Principal(email, EditorsOnly.ByOpenId);
        }
        else
        {
            context.Response.Redirect("/sign-in?problem=stranger");
            context.HandleResponse();
        }
        return Task.CompletedTask;
    }
}
