using Hangfire;
using Hangfire.States;

namespace WeeklyDigest.Server.Jobs;

/// <summary>The jobs for what waits in the ledger that this process started, or found started, so that it does not start a second while the first is still to run.</summary>
/// <param name="storage">Knows the states of jobs.</param>
/// <param name="time">The clock.</param>
internal sealed class StartedJobs<TKey>(JobStorage storage, TimeProvider time) where TKey : notnull
{
    // A job that failed will fail again a moment later; its page should not be one of a thousand.
    private static readonly TimeSpan RestAfterFailure = TimeSpan.FromMinutes(1);

    private readonly Dictionary<TKey, (string Job, long At)> started = [];

    /// <summary>Whether something has a job: one that is still to run, or that failed just now.</summary>
    /// <param name="key">What it is for.</param>
    /// <param name="hasBegun">Whether it has begun: it should be at work.</param>
    public bool Have(TKey key, out bool hasBegun)
    {
        hasBegun = false;
        if (!started.TryGetValue(key, out var last)) return false;
        var state = StateOf(last.Job);
        hasBegun = state == ProcessingState.StateName;
        return hasBegun || state == EnqueuedState.StateName
            || (state == FailedState.StateName && time.GetElapsedTime(last.At) < RestAfterFailure);
    }

    /// <summary>Notes a job that was started.</summary>
    public void Add(TKey key, string job) => started[key] = (job, time.GetTimestamp());

    /// <summary>What had a job that was deleted since; told once.</summary>
    public IReadOnlyList<TKey> TakeDeleted()
    {
        var deleted = started.Where(entry => StateOf(entry.Value.Job) == DeletedState.StateName).Select(entry => entry.Key).ToList();
        foreach (var key in deleted) started.Remove(key);
        return deleted;
    }

    private string? StateOf(string job)
    {
        using var connection = storage.GetConnection();
        return connection.GetStateData(job)?.Name;
    }
}
