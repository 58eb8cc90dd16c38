using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Public;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Desk;

/// <summary>
/// Who may enter: every endpoint is closed unless it says that it is for everybody. The key is a cookie, given at the sign-in; where a
/// request comes from, or claims to come from, opens nothing.
/// </summary>
internal static class EditorsOnly
{
    /// <summary>The role of whoever has signed in.</summary>
    public const string Role = "editor";

    /// <summary>The claim that says how: <see cref="ByLink"/>, <see cref="ByPassword"/>, <see cref="ByOpenId"/>.</summary>
    public const string Way = "way";

    /// <summary>By the link that the server printed.</summary>
    public const string ByLink = "link";

    /// <summary>By name and password.</summary>
    public const string ByPassword = "password";

    /// <summary>By the sign-in service.</summary>
    public const string ByOpenId = "openid";

    // What tells whether a session is still good: of a link when it began, of a password which one it was.
    private const string Good = "good";

    private static readonly TimeSpan CookieLifetime = TimeSpan.FromDays(14);

    // A link is nobody's in particular, and no setting takes back who came in by one.
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromDays(30);

    /// <summary>Registers authentication, authorization, antiforgery and their keys.</summary>
    public static void Add(IServiceCollection services, Installation installation)
    {
        var settings = installation.Settings;
        services.AddSingleton<SignIn>();
        services.AddSingleton<EndedSessions>();
        services.AddSingleton(_ => new EditorPasswords(settings.Editors.Users, installation.Time));
        AddKeys(services, installation.Database, settings.Paths.Data);
        var authentication = services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
            .AddCookie(options => Configure(options, settings));
        OpenIdSignIn.Add(authentication, settings);
        services.AddAuthorization(options =>
        {
            options.DefaultPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireRole(Role).Build();
            options.FallbackPolicy = options.DefaultPolicy;
        });
        services.AddAntiforgery(options =>
        {
            options.Cookie = new PublicCookie("weeklydigest-form", settings) { SameSite = SameSiteMode.Strict };
            options.SuppressXFrameOptionsHeader = true; // PagePolicy writes it
        });
    }

    /// <summary>Registers the keys of cookies and forms: where nodes share a database there, so that what one gave out is good at all; else in the data folder.</summary>
    public static void AddKeys(IServiceCollection services, Database database, string dataFolder)
    {
        if (database.SignIns is { } shared)
        {
            services.AddHostedService<KeyRingWatch>(); // before the framework's own, which reads the keys at the start as well
            services.Configure<KeyManagementOptions>(options => options.XmlRepository = new SharedKeys(shared));
        }
        var protection = services.AddDataProtection().SetApplicationName("WeeklyDigest");
        if (database.SignIns is null) protection.PersistKeysToFileSystem(KeyFolder(dataFolder));
    }

    // The framework would go on without, and let nobody in.
    private static DirectoryInfo KeyFolder(string dataFolder)
    {
        var folder = Path.Combine(dataFolder, "keys");
        return FolderTrouble.Of(folder, FileAccess.Read) is { } trouble
            ? throw new RefusedException($"The keys that let editors in cannot be kept: {trouble.What}. {trouble.Advice(dataFolder)}")
            : PrivateFolder.Create(folder);
    }

    /// <summary>An editor's identity.</summary>
    /// <param name="name">The name shown.</param>
    /// <param name="way">How they came in.</param>
    /// <param name="good">What tells whether it is still good, or nothing.</param>
    public static ClaimsPrincipal Principal(string name, string way, string good = "") => new(new ClaimsIdentity(
        [
            new Claim(ClaimTypes.NameIdentifier, way + ":" + name), new Claim(ClaimTypes.Name, name), new Claim(ClaimTypes.Role, Role), new Claim(Way, way), new Claim(Good, good),
            EndedSessions.NewNumber(),
        ],
        CookieAuthenticationDefaults.AuthenticationScheme));

    /// <summary>Who came in by a link.</summary>
    public static ClaimsPrincipal LinkHolder(DateTimeOffset now) => Principal("Editor", ByLink, now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));

    /// <summary>Lets an endpoint's form through only with its antiforgery token.</summary>
    public static RouteHandlerBuilder RequireFormToken(this RouteHandlerBuilder endpoint) => endpoint.AddEndpointFilter(async (context, next) =>
        await IsFormAsync(context.HttpContext) && await context.HttpContext.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context.HttpContext)
            ? await next(context)
            : RefusedForms.OutOfDate(StatusCodes.Status400BadRequest));

    /// <summary>The hidden field that <see cref="RequireFormToken"/> asks for.</summary>
    public static Html FormToken(HttpContext context)
    {
        var tokens = context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context);
        return Html.Of($"<input type=\"hidden\" name=\"{tokens.FormFieldName}\" value=\"{tokens.RequestToken}\">");
    }

    // Read here, before anybody else does: one that is not well formed, or has too many fields, is refused, and no mistake of ours.
    private static async Task<bool> IsFormAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType) return false;
        try
        {
            await context.Request.ReadFormAsync(context.RequestAborted);
            return true;
        }
        catch (Exception problem) when (problem is InvalidDataException or IOException && problem is not BadHttpRequestException)
        {
            return false;
        }
    }

    private static void Configure(CookieAuthenticationOptions options, ServerSettings settings)
    {
        options.LoginPath = "/sign-in";
        options.AccessDeniedPath = "/sign-in";
        options.ReturnUrlParameter = "returnUrl";
        options.ExpireTimeSpan = CookieLifetime;
        options.SlidingExpiration = true;
        options.Cookie = new PublicCookie("weeklydigest", settings) { SameSite = SameSiteMode.Lax };
        options.Events.OnSigningIn = context =>
        {
            if (context.CookieOptions.Secure) PublicCookie.Note(context.Properties.Items);
            return Task.CompletedTask;
        };
        options.Events.OnRedirectToLogin = context => SendToSignInAsync(context);
        options.Events.OnRedirectToAccessDenied = context => SendToSignInAsync(context);
        options.Events.OnValidatePrincipal = RejectFormerEditorsAsync;
    }

    // People who open a page are sent to the sign-in; a form would lose its content there, so who sent one is told. Programs get the bare refusal.
    private static Task SendToSignInAsync(RedirectContext<CookieAuthenticationOptions> context)
    {
        var page = HttpMethods.IsGet(context.Request.Method) && !context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase);
        if (RefusedForms.IsShown(context.Request)) return RefusedForms.SignedOut.ExecuteAsync(context.HttpContext);
        if (page) context.Response.Redirect(WithoutHost(context.RedirectUri));
        else context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Task.CompletedTask;
    }

    // Behind a proxy we know neither scheme nor host; and what a request says is its host may be none, so that this is no URI.
    private static string WithoutHost(string address)
    {
        var host = address.IndexOf(Uri.SchemeDelimiter, StringComparison.Ordinal) + Uri.SchemeDelimiter.Length;
        return address[address.IndexOf('/', host)..];
    }

    // Who signed out, was taken out of the settings, or has another password there, is out at once, not when the cookie ends.
    private static async Task RejectFormerEditorsAsync(CookieValidatePrincipalContext context)
    {
        var services = context.HttpContext.RequestServices;
        var settings = services.GetRequiredService<ServerSettings>();
        PublicCookie.Recall(context.HttpContext, context.Properties.Items);
        var name = context.Principal?.Identity?.Name ?? "";
        var good = context.Principal?.FindFirstValue(Good);
        var known = context.Principal?.FindFirstValue(Way) switch
        {
            ByLink => IsRecent(good, services.GetRequiredService<TimeProvider>().GetUtcNow()),
            ByPassword => services.GetRequiredService<EditorPasswords>().Knows(name, good),
            ByOpenId => OpenIdSignIn.Allows(settings, name),
            _ => false,
        };
        if (known && !await services.GetRequiredService<EndedSessions>().HasEndedAsync(context.Principal!, context.HttpContext.RequestAborted)) return;
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync();
    }

    private static bool IsRecent(string? began, DateTimeOffset now)
        => long.TryParse(began, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && now - DateTimeOffset.FromUnixTimeSeconds(seconds) < LinkLifetime;
}
