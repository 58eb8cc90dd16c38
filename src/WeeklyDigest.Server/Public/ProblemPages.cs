using System.Data.Common;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Diagnostics;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Desk;

namespace WeeklyDigest.Server.Public;

/// <summary>What a request gets when we fail: a page that says so and nothing else. The log has the rest.</summary>
internal static class ProblemPages
{
    private const string Heading = "The database cannot be used now";
    private const string Waits = "Nothing is lost: what is being sent waits and goes on by itself.";
    private const string Soon = "Try again in a moment.";
    private const string Later = "Try again once that is done.";

    /// <summary>The edge where an exception of a request ends.</summary>
    public static Task AnswerAsync(HttpContext context)
    {
        var met = context.Features.Get<IExceptionHandlerFeature>();
        Note(context, met?.Error);
        // Nobody is there to read it; writing to who has gone would be another exception, and the log be told of both with their stacks.
        if (context.RequestAborted.IsCancellationRequested) return Task.CompletedTask;
        PagePolicy.ApplyInPlaceOf(met?.Endpoint, context);
        var page = met?.Error switch
        {
            { } failure when Refusal(failure) is { } status => SitePage.Statement("This request cannot be answered", Html.Of($"<p>It is too large or not well formed.</p>"), status),
            { } failure when OfDatabase(failure) is { } cause => Away(met.Endpoint?.Metadata.GetMetadata<ReaderWords>() ?? Words(context, cause)),
            _ => SitePage.Statement("Something went wrong here", Html.Of($"<p>It has been noted. Try again in a moment.</p>"), StatusCodes.Status500InternalServerError),
        };
        return page.ExecuteAsync(context);
    }

    /// <summary>
    /// Whether an exception is no news: while the database is away every request would add a page to the log, and one line says what is wrong; and what is wrong
    /// with a request is its sender's matter, who may be anybody.
    /// </summary>
    public static bool IsKnown(ExceptionHandlerSuppressDiagnosticsContext context) => KnownTrouble.In(context.Exception) is not null || Refusal(context.Exception) is not null;

    // The form's token is looked for in the form, which may be broken.
    private static int? Refusal(Exception failure) => failure switch
    {
        BadHttpRequestException { StatusCode: var status } => status,
        AntiforgeryValidationException { InnerException: BadHttpRequestException { StatusCode: var status } } => status,
        AntiforgeryValidationException => StatusCodes.Status400BadRequest,
        _ => null,
    };

    private static void Note(HttpContext context, Exception? failure)
    {
        var trouble = context.RequestServices.GetRequiredService<KnownTrouble>();
        if (trouble.Words(failure) is not { } words || !trouble.IsNews(words)) return;
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ProblemPages).FullName!).LogError("A page cannot be shown, or what was sent to it not be kept: {Problem}", words);
    }

    private static SitePage Away(ReaderWords words) => SitePage.Statement(words.Heading, Html.Of($"<p>{words.Text}</p>"), StatusCodes.Status503ServiceUnavailable);

    // Where the database is, and what it says, is for those who look after it. This page may be asked for before the ledger's watch found out.
    private static ReaderWords Words(HttpContext context, Exception cause)
    {
        var trouble = context.RequestServices.GetRequiredService<DeliveryEngine>().Trouble;
        var needsSomebody = trouble is null ? NeedsSomebody(cause) : trouble.NeedsRestart;
        if (!context.User.IsInRole(EditorsOnly.Role)) return new(Heading, needsSomebody ? $"The log says what is wrong and what to do. {Later}" : $"{Waits} The log says what is wrong. {Soon}");
        if (trouble is not null) return new(Heading, $"{LedgerWords.Describe(trouble)} {(needsSomebody ? Later : Soon)}");
        return new(Heading, $"{Explained(context, cause)} {(needsSomebody ? Later : $"{Waits} {Soon}")}");
    }

    // Refused, and it will be again, or somebody has to start again: the words say what to do, and what is lost.
    private static bool NeedsSomebody(Exception cause) => cause is DbException { SqlState: not null, IsTransient: false } or StorageException { IsLasting: true } or StorageException { NeedsRestart: true };

    private static string Explained(HttpContext context, Exception cause)
        => cause is StorageException ? cause.Message : context.RequestServices.GetRequiredService<KnownTrouble>().Words(cause) ?? "The log says what is wrong.";

    // Hangfire's pages wrap what the database said.
    private static Exception? OfDatabase(Exception? failure) => failure is null or StorageException or DbException ? failure : KnownTrouble.In(failure) ?? OfDatabase(failure.InnerException);
}
