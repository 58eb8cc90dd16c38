using System.Data.Common;
using Microsoft.AspNetCore.Diagnostics;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Desk;

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
            { } failure when OfDatabase(failure) is { } cause => SitePage.Statement(
                "The database cannot be used now", Html.Of($"<p>{Words(context, cause)} Try again in a moment.</p>"), StatusCodes.Status503ServiceUnavailable),
            _ => SitePage.Statement("Something went wrong here", Html.Of($"<p>It has been noted. Try again in a moment.</p>"), StatusCodes.Status500InternalServerError),
        };
        return page.ExecuteAsync(context);
    }

    /// <summary>Whether an exception is no news: while the database is away every request would add a page to the log, where the ledger's watch says it once.</summary>
    public static bool IsKnown(ExceptionHandlerSuppressDiagnosticsContext context) => OfDatabase(context.Exception) is StorageException { IsLasting: false };

    // Where the database is, and what it says, is for those who look after it. This page may be asked for before the ledger's watch found out.
    private static string Words(HttpContext context, Exception cause) => context.User.IsInRole(EditorsOnly.Role)
        ? context.RequestServices.GetRequiredService<DeliveryEngine>().Trouble is { } trouble
            ? LedgerWords.Describe(trouble)
            : $"{Explained(cause) ?? "The log says what is wrong."} Nothing is lost: what is being sent waits and goes on by itself."
        : "Nothing is lost: what is being sent waits and goes on by itself. The log says what is wrong.";

    // An exception of a database around another is a storage's, which puts into words what the inner one says.
    private static string? Explained(Exception cause) => cause is StorageException or DbException { InnerException: DbException } ? cause.Message : null;

    // Hangfire's pages wrap what the database said.
    private static Exception? OfDatabase(Exception? failure) => failure is null or StorageException or DbException ? failure : OfDatabase(failure.InnerException);
}
