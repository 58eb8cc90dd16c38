using Microsoft.AspNetCore.Diagnostics;

namespace WeeklyDigest.Server.Public;

/// <summary>What a request gets when we fail: a page that says so and nothing else. The log has the rest.</summary>
internal static class ProblemPages
{
    /// <summary>The edge where an exception of a request ends.</summary>
    public static Task AnswerAsync(HttpContext context)
    {
        var tooLarge = context.Features.Get<IExceptionHandlerFeature>()?.Error is BadHttpRequestException { StatusCode: var status } ? status : 0;
        var page = tooLarge > 0
            ? SitePage.Statement("This request cannot be answered", Html.Of($"<p>It is too large or not well formed.</p>"), tooLarge)
            : SitePage.Statement("Something went wrong here", Html.Of($"<p>It has been noted. Try again in a moment.</p>"), StatusCodes.Status500InternalServerError);
        return page.ExecuteAsync(context);
    }
}
