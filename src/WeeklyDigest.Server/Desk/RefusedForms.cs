using Microsoft.AspNetCore.Antiforgery;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Desk;

/// <summary>
/// What people read when a form was not taken, or a page is not there: a browser shows the answer in place of the page they were on, and its own words
/// for a bare refusal, or an empty page, do not say that nothing was done. Scripts and programs get the bare status.
/// </summary>
internal static class RefusedForms
{
    private const string Renamed = "If it was of an issue, the issue's file may have been renamed or removed.";

    /// <summary>The form's token is not good any more, or never was.</summary>
    /// <param name="status">The refusal.</param>
    public static SitePage OutOfDate(int status) => SitePage.Statement("This form is out of date", Html.Of($"<p>Nothing was done. Go back, reload the page and try again.</p>"), status);

    /// <summary>Who sent it is not signed in any more.</summary>
    public static SitePage SignedOut { get; } = SitePage.Statement(
        "You are signed out",
        Html.Of($"<p>Nothing was done, because your session has ended. <a href=\"/sign-in\">Sign in again</a>, then go back to the page and try once more.</p>"),
        StatusCodes.Status401Unauthorized);

    /// <summary>Lets endpoints that want the token of every form, and answer with a bare 403, 404 or 405, say it in words.</summary>
    public static TBuilder TellInWords<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Finally(endpoint =>
        {
            if (endpoint.RequestDelegate is { } inner) endpoint.RequestDelegate = context => AnswerAsync(context, inner);
        });
        return endpoints;
    }

    /// <summary>Whether a request is a form whose answer somebody will look at.</summary>
    public static bool IsShown(HttpRequest request) => HttpMethods.IsPost(request.Method) && IsRead(request);

    private static bool IsRead(HttpRequest request) => !request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
        && !request.Headers.ContainsKey("X-Requested-With")
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    private static async Task AnswerAsync(HttpContext context, RequestDelegate inner)
    {
        // Asked here although they ask it as well: Hangfire's asking breaks on a cookie of other keys.
        if (await context.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context)) await inner(context);
        else context.Response.StatusCode = StatusCodes.Status403Forbidden;
        if (!context.Response.HasStarted && IsRead(context.Request) && Words(context) is { } page) await page.ExecuteAsync(context);
    }

    private static SitePage? Words(HttpContext context) => (context.Response.StatusCode, HttpMethods.IsPost(context.Request.Method)) switch
    {
        (StatusCodes.Status403Forbidden and var status, true) => OutOfDate(status),
        (StatusCodes.Status404NotFound and var status, false) => Nowhere("There is no such page", Renamed, status),
        (StatusCodes.Status404NotFound and var status, true) => Nowhere("There is no such page", "Nothing was done. " + Renamed, status),
        (StatusCodes.Status405MethodNotAllowed and var status, _) => Nowhere("This is the address of a button", "Nothing was done.", status),
        _ => null,
    };

    private static SitePage Nowhere(string heading, string words, int status)
        => SitePage.Statement(heading, Html.Of($"<p>{words}</p>\n<p><a href=\"{SignInPages.Home}\">Back to the issues</a></p>"), status);
}
