using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Public;

/// <summary>What a supervisor asks: is the process alive, can it work. Answers are one word, for anybody to read.</summary>
internal static class HealthPages
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Answers <c>/healthz/live</c> and <c>/healthz/ready</c>.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz/live", () => Results.Text("alive")).AllowAnonymous();
        routes.MapGet("/healthz/ready", ReadyAsync).AllowAnonymous();
    }

    // Ready is: the database answers. A relay that is down does not make us unready; the ledger waits for it.
    private static async Task<IResult> ReadyAsync(Database database, TimeProvider time, KnownTrouble known, ILoggerFactory logs, CancellationToken aborted)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, aborted);
        try
        {
            await database.Subscribers.ListNamesAsync(cancel.Token).WaitAsync(cancel.Token);
            return Results.Text("ready");
        }
        catch (Exception problem) when (!aborted.IsCancellationRequested)
        {
            Note(problem, known, logs);
            return Results.Text("the database does not answer; the log says why", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }

    // Anybody may ask, as often as they like: each trouble is a line once, until it has been quiet for a while.
    private static void Note(Exception problem, KnownTrouble known, ILoggerFactory logs)
    {
        var words = problem is OperationCanceledException ? $"no answer within {Patience.TotalSeconds} seconds." : known.Words(problem);
        if (known.IsNews("ready: " + (words ?? problem.Message)))
            logs.CreateLogger("WeeklyDigest.Health").LogError(words is null ? problem : null, "The database does not answer: {Problem}", words ?? problem.Message);
    }
}
