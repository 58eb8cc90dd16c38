using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Desk;

/// <summary>
/// What people read when a form was not taken: a browser shows the answer in place of the page they were on, and its own words for a bare
/// refusal do not say that nothing was done. Scripts and programs get the bare status.
/// </summary>
internal static class RefusedForms
{
    /// <summary>The form's token is not good any more, or never was.</summary>
    /// <param name="status">The refusal.</param>
    public static SitePage OutOfDate(int status) => SitePage.Statement("This form is out of date", Html.Of($"<p>Nothing was done. Go back, reload the page and try again.</p>"), status);

    /// <summary>Who sent it is not signed in any more.</summary>
    public static SitePage SignedOut { get; } = SitePage.Statement(
        "You are signed out",
        Html.Of($"<p>Nothing was done, because your session has ended. <a href=\"/sign-in\">Sign in again</a>, then go back to the page and try once more.</p>"),
        StatusCodes.Status401Unauthorized);

    /// <summary>Lets an endpoint that checks tokens itself, and says a bare 403, say it in words.</summary>
    public static TBuilder TellOutOfDate<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Finally(endpoint =>
        {
            if (endpoint.RequestDelegate is { } inner) endpoint.RequestDelegate = context => AnswerAsync(context, inner);
        });
        return endpoints;
    }

    /// <summary>Whether a request is a form whose answer somebody will look at.</summary>
    public static bool IsShown(HttpRequest request) => HttpMethods.IsPost(request.Method)
        && !request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
        && !request.Headers.ContainsKey("X-Requested-With")
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    private static async Task AnswerAsync(HttpContext context, RequestDelegate inner)
    {
        await inner(context);
        var isBare = context.Response is { StatusCode: StatusCodes.Status403Forbidden, HasStarted: false };
        if (isBare && IsShown(context.Request)) await OutOfDate(StatusCodes.Status403Forbidden).ExecuteAsync(context);
    }
}
