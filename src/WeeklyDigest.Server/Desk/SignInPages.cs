using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Authentication;
using WeeklyDigest.Server.Public;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Desk;

/// <summary>
/// The pages around the sign-in. A link is only looked at by GET, which link scanners do; pressing its button, a POST, signs in.
/// </summary>
/// <param name="settings">Who may enter.</param>
/// <param name="links">Links that were printed.</param>
/// <param name="passwords">Editors with a password.</param>
/// <param name="ended">Who has signed out.</param>
/// <param name="time">The clock.</param>
internal sealed class SignInPages(ServerSettings settings, SignIn links, EditorPasswords passwords, EndedSessions ended, TimeProvider time)
{
    internal const string Home = "/hangfire/issues";
    private const int NetworkBytes = 8;

    /// <summary>Answers <c>/sign-in</c> and <c>/sign-out</c>.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/sign-in", Show).AllowAnonymous().WithMetadata(PagePolicy.SignIn);
        routes.MapPost("/sign-in/link", ByLinkAsync).AllowAnonymous().WithMetadata(PagePolicy.SignIn).RequireFormToken();
        routes.MapPost("/sign-in/password", ByPasswordAsync).AllowAnonymous().WithMetadata(PagePolicy.SignIn).RequireFormToken();
        routes.MapGet("/sign-in/openid", ByService).AllowAnonymous().WithMetadata(PagePolicy.SignIn);
        routes.MapGet("/sign-out", ShowSignOut).WithMetadata(PagePolicy.Desk);
        routes.MapPost("/sign-out", SignOutAsync).WithMetadata(PagePolicy.Desk).RequireFormToken();
    }

    private SitePage Show(HttpContext context, string? token, string? returnUrl, string? problem) => problem switch
    {
        "service" => Page(context, returnUrl, "The sign-in service did not let you in. Try again, or use another way."),
        "stranger" => Page(context, returnUrl, "Your account is known to the sign-in service, but not an editor here."),
        _ when !string.IsNullOrEmpty(token) => LinkPage(context, token, returnUrl),
        _ => Page(context, returnUrl, problem: null),
    };

    // Without a limit: nobody guesses 256 random bits, and behind a proxy it would keep out who has a link.
    private async Task<IResult> ByLinkAsync(HttpContext context, CancellationToken cancel)
    {
        var form = await context.Request.ReadFormAsync(cancel);
        if (!await links.TryUseAsync(form["token"], cancel))
            return Page(context, form["returnUrl"], "This link has been used, is too old, or is not ours.", StatusCodes.Status403Forbidden);
        await context.SignInAsync(EditorsOnly.LinkHolder(time.GetUtcNow()), new AuthenticationProperties { IsPersistent = true });
        return Results.LocalRedirect(Local(form["returnUrl"]));
    }

    private async Task<IResult> ByPasswordAsync(HttpContext context, CancellationToken cancel)
    {
        var form = await context.Request.ReadFormAsync(cancel);
        var name = ((string?)form["name"] ?? "").Trim();
        if (name.Length > 100 || ((string?)form["password"])?.Length > 1000 || !passwords.Any)
            return Page(context, form["returnUrl"], "Name or password is wrong.", StatusCodes.Status403Forbidden);
        var (editor, wait) = await passwords.CheckAsync(Caller(context.Connection.RemoteIpAddress), name, (string?)form["password"] ?? "", cancel);
        if (wait is not null) return TooMany(context, wait.Value);
        if (editor is null) return Page(context, form["returnUrl"], "Name or password is wrong.", StatusCodes.Status403Forbidden);
        await context.SignInAsync(EditorsOnly.Principal(editor.Name, EditorsOnly.ByPassword, EditorPasswords.MarkOf(editor)), new AuthenticationProperties { IsPersistent = true });
        return Results.LocalRedirect(Local(form["returnUrl"]));
    }

    private IResult ByService(string? returnUrl) => settings.Editors.OpenIdConnect is null
        ? Results.LocalRedirect("/sign-in")
        : Results.Challenge(new AuthenticationProperties { RedirectUri = Local(returnUrl) }, [OpenIdSignIn.Scheme]);

    private SitePage ShowSignOut(HttpContext context) => SitePage.Statement("Sign out", Html.Of(
        $"""
        <p>You are signed in as {context.User.Identity?.Name}.</p>
        <form method="post" action="/sign-out">{EditorsOnly.FormToken(context)}<button class="primary">Sign out</button></form>
        <p><a href="{Home}">Back to the issues</a></p>
        """));

    private async Task<IResult> SignOutAsync(HttpContext context, CancellationToken cancel)
    {
        await ended.EndAsync(context.User, cancel);
        await context.SignOutAsync();
        return Results.LocalRedirect("/sign-in");
    }

    private static SitePage LinkPage(HttpContext context, string token, string? returnUrl) => SitePage.Statement("Sign in", Html.Of(
        $"""
        <p>This link lets you in to the editor's side, once.</p>
        <form method="post" action="/sign-in/link">
        {EditorsOnly.FormToken(context)}
        <input type="hidden" name="token" value="{token}">
        <input type="hidden" name="returnUrl" value="{returnUrl}">
        <button class="primary" autofocus>Sign in</button>
        </form>
        """));

    private SitePage Page(HttpContext context, string? returnUrl, string? problem, int status = StatusCodes.Status200OK)
        => SitePage.Statement("Sign in", Html.Join(
        [
            Html.When(problem is not null, () => Html.Of($"<p class=\"problem\" role=\"alert\">{problem}</p>")),
            Html.When(passwords.Any, () => PasswordForm(context, returnUrl)),
            Html.When(settings.Editors.OpenIdConnect is not null, () => Html.Of(
                $"<p><a class=\"button\" href=\"/sign-in/openid?returnUrl={Uri.EscapeDataString(Local(returnUrl))}\">Sign in with {settings.Editors.OpenIdConnect!.Authority.Host}</a></p>")),
            Html.Of($"<p>The server prints a sign-in link when it starts: open that link. It works once, for an hour; after that, restart the server for a new one.</p>"),
        ]), status);

    private static Html PasswordForm(HttpContext context, string? returnUrl) => Html.Of(
        $"""
        <form method="post" action="/sign-in/password" class="stacked">
        {EditorsOnly.FormToken(context)}
        <input type="hidden" name="returnUrl" value="{returnUrl}">
        <label for="name">Name</label>
        <input id="name" name="name" autocomplete="username" maxlength="100" required autofocus>
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" maxlength="1000" required>
        <button class="primary">Sign in</button>
        </form>
        """);

    private static SitePage TooMany(HttpContext context, TimeSpan wait)
    {
        var seconds = (long)Math.Ceiling(wait.TotalSeconds);
        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return SitePage.Statement("Too many attempts", Html.Of($"<p>Try again in {seconds} seconds.</p>"), StatusCodes.Status429TooManyRequests);
    }

    /// <summary>Whose attempts are counted together. The connection's own address: what a header says about it is not believed. Of IPv6 the network, for whoever has one has all its addresses.</summary>
    internal static string Caller(IPAddress? address)
    {
        var bytes = (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.GetAddressBytes() ?? [];
        return Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, NetworkBytes)));
    }

    /// <summary>The address when it leads to a page of ours, else the issues page.</summary>
    internal static string Local(string? returnUrl)
        => returnUrl is ['/', ..] && !returnUrl.StartsWith("//", StringComparison.Ordinal) && !returnUrl.Contains('\\', StringComparison.Ordinal)
            && !returnUrl.Any(char.IsControl)
            ? returnUrl
            : Home;
}
