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
        lock (gate) return JobBut([], mailingId) is not null;
    }

    /// <summary>Delivers for a job, unless another one does so, here or on another node: it would only keep a worker from other jobs.</summary>
    /// <param name="mailing">The mailing.</param>
    /// <param name="page">The job's page.</param>
    /// <param name="cancel">Drains.</param>
    /// <returns>What came of it; or, at once, the other job. Should that end in this moment, the ledger's watch goes on.</returns>
    public async Task<(DeliveryRunResult? Result, string? Other)> RunAsync(Mailing mailing, JobPage page, CancellationToken cancel)
    {
        if (await ElsewhereAsync(mailing, page, cancel) is { } elsewhere) return (null, elsewhere);
        return EnterUnlessHeld(mailing.Id, page) is { } here ? (null, here) : (await RunAsync(mailing.Id, page.JobId, page, cancel), null);
    }

    /// <summary>Delivers beside another process, whose job it is.</summary>
    public Task<DeliveryRunResult> AssistAsync(long mailingId, CancellationToken cancel)
    {
        lock (gate) Enter(mailingId, null);
        return RunAsync(mailingId, null, null, cancel);
    }

    // The state of a job may be a dead server's. Who sends stands in the ledger, and what another process is sending this one joins without a job.
    private async Task<string?> ElsewhereAsync(Mailing mailing, JobPage page, CancellationToken cancel)
        => page.Elsewhere(mailing.Issue.Value) is { } job && (await engine.RecoverAsync(cancel)).Any(sender => sender.MailingId == mailing.Id && !sender.IsThisProcess) ? job : null;

    // One that was deleted or requeued only finishes what is on the wire, and does not go on: whoever wants the mailing sent after that has the job for it.
    private string? EnterUnlessHeld(long mailingId, JobPage page)
    {
        for (List<string> past = [page.JobId]; ;)
        {
            string? other;
            lock (gate)
            {
                other = JobBut(past, mailingId);
                if (other is null) Enter(mailingId, page.JobId);
            }
            if (other is null || page.IsProcessing(other)) return other;
            past.Add(other);
        }
    }

    private string? JobBut(List<string> past, long mailingId) => running.GetValueOrDefault(mailingId)?.Find(caller => caller is not null && !past.Contains(caller));

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
