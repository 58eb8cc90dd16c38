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

    private readonly Dictionary<TKey, (string Job, DateTimeOffset At)> started = [];

    /// <summary>Starts a job, unless one that was started is still to run or failed just now.</summary>
    /// <param name="key">What it is for.</param>
    /// <param name="find">Finds one that another process started and that is still to run, an earlier one of this server most likely; from here on it is ours.</param>
    /// <param name="enqueue">Starts one.</param>
    /// <returns>Whether one that was known before has begun: it should be at work.</returns>
    public bool Start(TKey key, Func<string?> find, Func<string> enqueue)
    {
        if (IsTakenCareOf(key, out var hasBegun)) return hasBegun;
        started[key] = (find() ?? enqueue(), time.GetUtcNow());
        return false;
    }

    /// <summary>What had a job that was deleted since; told once.</summary>
    public IReadOnlyList<TKey> TakeDeleted()
    {
        var deleted = started.Where(entry => StateOf(entry.Value.Job) == DeletedState.StateName).Select(entry => entry.Key).ToList();
        foreach (var key in deleted) started.Remove(key);
        return deleted;
    }

    private bool IsTakenCareOf(TKey key, out bool hasBegun)
    {
        hasBegun = false;
        if (!started.TryGetValue(key, out var last)) return false;
        var state = StateOf(last.Job);
        hasBegun = state == ProcessingState.StateName;
        return hasBegun || state == EnqueuedState.StateName
            || (state == FailedState.StateName && time.GetUtcNow() < last.At + RestAfterFailure);
    }

    private string? StateOf(string job)
    {
        using var connection = storage.GetConnection();
        return connection.GetStateData(job)?.Name;
    }
}
