using System.Collections.Concurrent;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>The engine as the jobs use it: knows which mailings this process delivers right now.</summary>
/// <param name="engine">The engine.</param>
internal sealed class DeliveryRuns(DeliveryEngine engine)
{
    private readonly ConcurrentDictionary<long, int> running = new();

    /// <summary>Whether this process delivers the mailing.</summary>
    public bool IsRunning(long mailingId) => running.TryGetValue(mailingId, out var callers) && callers > 0;

    /// <summary>Delivers, or joins the run.</summary>
    public async Task<DeliveryRunResult> RunAsync(long mailingId, IProgress<DeliveryProgress>? progress, CancellationToken cancel)
    {
        running.AddOrUpdate(mailingId, 1, (_, callers) => callers + 1);
        try
        {
            return await engine.RunAsync(mailingId, progress, cancel);
        }
        finally
        {
            running.AddOrUpdate(mailingId, 0, (_, callers) => callers - 1);
        }
    }
}
