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
    private static async Task<IResult> ReadyAsync(Database database, TimeProvider time, ILoggerFactory logs, CancellationToken aborted)
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
            logs.CreateLogger("WeeklyDigest.Health").LogError(problem, "The database does not answer");
            return Results.Text("the database does not answer; the log says why", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
}
