using System.Collections.Concurrent;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>The engine as the server uses it: knows which mailings this process delivers right now, and which of them by a job.</summary>
/// <param name="engine">The engine.</param>
internal sealed class DeliveryRuns(DeliveryEngine engine)
{
    private readonly ConcurrentDictionary<(long Mailing, bool ByJob), int> running = new();

    /// <summary>Whether this process delivers the mailing.</summary>
    public bool IsRunning(long mailingId) => HasJob(mailingId) || Has(mailingId, byJob: false);

    /// <summary>Whether a job delivers the mailing in this process.</summary>
    public bool HasJob(long mailingId) => Has(mailingId, byJob: true);

    /// <summary>Delivers for a job, or joins the run.</summary>
    public Task<DeliveryRunResult> RunAsync(long mailingId, JobPage page, CancellationToken cancel) => RunAsync(mailingId, byJob: true, page, cancel);

    /// <summary>Delivers beside another process, whose job it is.</summary>
    public Task<DeliveryRunResult> AssistAsync(long mailingId, CancellationToken cancel) => RunAsync(mailingId, byJob: false, null, cancel);

    private bool Has(long mailingId, bool byJob) => running.TryGetValue((mailingId, byJob), out var callers) && callers > 0;

    private async Task<DeliveryRunResult> RunAsync(long mailingId, bool byJob, IProgress<DeliveryProgress>? progress, CancellationToken cancel)
    {
        running.AddOrUpdate((mailingId, byJob), 1, (_, callers) => callers + 1);
        try
        {
            return await engine.RunAsync(mailingId, progress, cancel);
        }
        finally
        {
            running.AddOrUpdate((mailingId, byJob), 0, (_, callers) => callers - 1);
        }
    }
}
