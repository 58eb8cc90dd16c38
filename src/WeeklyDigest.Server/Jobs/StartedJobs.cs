using Hangfire;
using Hangfire.States;

namespace WeeklyDigest.Server.Jobs;

/// <summary>The jobs this process started for something that waits in the ledger, so that it does not start a second while the first is still to run.</summary>
/// <param name="storage">Knows the states of jobs.</param>
/// <param name="time">The clock.</param>
internal sealed class StartedJobs<TKey>(JobStorage storage, TimeProvider time) where TKey : notnull
{
    // A job that failed will fail again a moment later; its page should not be one of a thousand.
    private static readonly TimeSpan RestAfterFailure = TimeSpan.FromMinutes(1);

    private readonly Dictionary<TKey, (string Job, DateTimeOffset At)> started = [];

    /// <summary>Starts a job, unless one that was started is still to run or failed just now.</summary>
    public void Start(TKey key, Func<string> enqueue)
    {
        if (!IsTakenCareOf(key)) started[key] = (enqueue(), time.GetUtcNow());
    }

    /// <summary>What had a job that was deleted since; told once.</summary>
    public IReadOnlyList<TKey> TakeDeleted()
    {
        var deleted = started.Where(entry => StateOf(entry.Value.Job) == DeletedState.StateName).Select(entry => entry.Key).ToList();
        foreach (var key in deleted) started.Remove(key);
        return deleted;
    }

    private bool IsTakenCareOf(TKey key)
    {
        if (!started.TryGetValue(key, out var last)) return false;
        var state = StateOf(last.Job);
        return state == EnqueuedState.StateName || state == ProcessingState.StateName
            || (state == FailedState.StateName && time.GetUtcNow() < last.At + RestAfterFailure);
    }

    private string? StateOf(string job)
    {
        using var connection = storage.GetConnection();
        return connection.GetStateData(job)?.Name;
    }
}
