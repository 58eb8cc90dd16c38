using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>The engine as the server uses it: knows which mailings this process delivers right now, and which of them by a job.</summary>
/// <param name="engine">The engine.</param>
internal sealed class DeliveryRuns(DeliveryEngine engine)
{
    private readonly Lock gate = new();

    // By mailing: the jobs that deliver it, and null for whoever does so without one. A job that was requeued may begin again before it has ended.
    private readonly Dictionary<long, List<string?>> running = [];

    /// <summary>Whether this process delivers the mailing.</summary>
    public bool IsRunning(long mailingId)
    {
        lock (gate) return running.ContainsKey(mailingId);
    }

    /// <summary>Whether a job delivers the mailing in this process.</summary>
    public bool HasJob(long mailingId)
    {
        lock (gate) return HasOther(mailingId, null);
    }

    /// <summary>Delivers for a job, or joins the run.</summary>
    /// <param name="mailingId">The mailing.</param>
    /// <param name="page">The job's page.</param>
    /// <param name="isWakeUp">Whether the job is only there so that the mailing is delivered at all.</param>
    /// <param name="cancel">Drains.</param>
    /// <returns>Null, at once, for a wake-up while another job delivers the mailing.</returns>
    public async Task<DeliveryRunResult?> RunAsync(long mailingId, JobPage page, bool isWakeUp, CancellationToken cancel)
    {
        lock (gate)
        {
            if (isWakeUp && HasOther(mailingId, page.JobId)) return null;
            Enter(mailingId, page.JobId);
        }
        return await RunAsync(mailingId, page.JobId, page, cancel);
    }

    /// <summary>Delivers beside another process, whose job it is.</summary>
    public Task<DeliveryRunResult> AssistAsync(long mailingId, CancellationToken cancel)
    {
        lock (gate) Enter(mailingId, null);
        return RunAsync(mailingId, null, null, cancel);
    }

    private bool HasOther(long mailingId, string? job) => running.TryGetValue(mailingId, out var callers) && callers.Exists(caller => caller is not null && caller != job);

    private void Enter(long mailingId, string? job)
    {
        if (running.TryGetValue(mailingId, out var callers)) callers.Add(job);
        else running[mailingId] = [job];
    }

    private async Task<DeliveryRunResult> RunAsync(long mailingId, string? job, IProgress<DeliveryProgress>? progress, CancellationToken cancel)
    {
        try
        {
            return await engine.RunAsync(mailingId, progress, cancel);
        }
        finally
        {
            lock (gate)
            {
                var callers = running[mailingId];
                callers.Remove(job);
                if (callers.Count == 0) running.Remove(mailingId);
            }
        }
    }
}
