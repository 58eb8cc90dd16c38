using System.Data.Common;
using Microsoft.AspNetCore.Diagnostics;

namespace WeeklyDigest.Server.Public;

/// <summary>What a request gets when we fail: a page that says so and nothing else. The log has the rest.</summary>
internal static class ProblemPages
{
    /// <summary>The edge where an exception of a request ends.</summary>
    public static Task AnswerAsync(HttpContext context)
    {
        var page = context.Features.Get<IExceptionHandlerFeature>()?.Error switch
        {
            BadHttpRequestException { StatusCode: var status } => SitePage.Statement("This request cannot be answered", Html.Of($"<p>It is too large or not well formed.</p>"), status),
            { } failure when IsOfDatabase(failure) => SitePage.Statement(
                "The database cannot be used now", Html.Of($"<p>Nothing is lost: what is being sent waits and goes on by itself. The log says what is wrong. Try again in a moment.</p>"), StatusCodes.Status503ServiceUnavailable),
            _ => SitePage.Statement("Something went wrong here", Html.Of($"<p>It has been noted. Try again in a moment.</p>"), StatusCodes.Status500InternalServerError),
        };
        return page.ExecuteAsync(context);
    }

    // Hangfire's pages wrap what the database said.
    private static bool IsOfDatabase(Exception? failure) => failure is StorageException or DbException || (failure is not null && IsOfDatabase(failure.InnerException));
}
