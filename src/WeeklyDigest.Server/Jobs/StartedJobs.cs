using Hangfire;
using Hangfire.States;

namespace WeeklyDigest.Server.Jobs;

/// <summary>The jobs for what waits in the ledger that this process started, or found started, so that it does not start a second while the first is still to run.</summary>
/// <param name="storage">Knows the states of jobs.</param>
/// <param name="time">The clock.</param>
internal sealed class StartedJobs<TKey>(JobStorage storage, TimeProvider time) where TKey : notnull
{
    // A job that failed will fail again a moment later, and failed jobs stay until somebody removes them: its page should not be one of a thousand. So the
    // pause grows with each failure in a row, but stays as short as somebody who has mended the cause will wait.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(15);

    // Pause: before another is started should this one fail.
    private readonly Dictionary<TKey, (string Job, long At, TimeSpan Pause)> started = [];

    /// <summary>Whether something has a job: one that is still to run, or that failed and was started not long ago.</summary>
    /// <param name="key">What it is for.</param>
    /// <param name="hasBegun">Whether it has begun: it should be at work.</param>
    public bool Have(TKey key, out bool hasBegun)
    {
        hasBegun = false;
        if (!started.TryGetValue(key, out var last)) return false;
        var state = StateOf(last.Job);
        hasBegun = state == ProcessingState.StateName;
        return hasBegun || state == EnqueuedState.StateName
            || (state == FailedState.StateName && time.GetElapsedTime(last.At) < last.Pause);
    }

    /// <summary>Notes a job that was started.</summary>
    public void Add(TKey key, string job) => started[key] = (job, time.GetTimestamp(), PauseAfter(key));

    /// <summary>What had a job that was deleted since; told once.</summary>
    public IReadOnlyList<TKey> TakeDeleted()
    {
        var deleted = started.Where(entry => StateOf(entry.Value.Job) == DeletedState.StateName).Select(entry => entry.Key).ToList();
        foreach (var key in deleted) started.Remove(key);
        return deleted;
    }

    private TimeSpan PauseAfter(TKey key)
    {
        if (!started.TryGetValue(key, out var last) || StateOf(last.Job) != FailedState.StateName) return FirstPause;
        return last.Pause * 2 < LongestPause ? last.Pause * 2 : LongestPause;
    }

    private string? StateOf(string job)
    {
        using var connection = storage.GetConnection();
        return connection.GetStateData(job)?.Name;
    }
}
