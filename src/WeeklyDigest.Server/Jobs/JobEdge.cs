using Hangfire.Server;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Server.Jobs;

/// <summary>Where the exceptions of a job end: its page says what happened and what to do, and Hangfire notes the job as failed.</summary>
internal static class JobEdge
{
    /// <summary>Runs a job with its page.</summary>
    public static async Task<string> RunAsync(PerformContext? context, Func<JobPage, Task<string>> job)
    {
        var page = JobPage.Of(context ?? throw new ArgumentNullException(nameof(context), "Hangfire gives the context."));
        try
        {
            return await job(page);
        }
        catch (Exception refusal) when (refusal is RefusedException or TemplateException or RelayException or StorageException)
        {
            page.Refuse(refusal.Message);
            throw;
        }
        catch (OperationCanceledException)
        {
            // The server stops, or somebody requeued the job: the ledger knows what is left, and the watch takes it up. A deleted one is held.
            page.Say(page.IsDeleted ? "Deleted. What is left waits until it is resumed on the page Issues." : "Interrupted. What is left is taken up again by itself.");
            throw;
        }
    }
}
