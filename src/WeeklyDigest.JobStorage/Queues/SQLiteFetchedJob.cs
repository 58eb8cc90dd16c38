namespace Hangfire.Storage.SQLite.Queues;

/// <summary>An entry of a queue that a worker of this process holds. Held until it is acknowledged, given back, or lost with the process.</summary>
/// <param name="queue">The queues.</param>
/// <param name="entry">The entry.</param>
/// <param name="stamp">The claim.</param>
/// <param name="jobId">The job.</param>
internal sealed class SQLiteFetchedJob(JobQueue queue, long entry, long stamp, string jobId) : IFetchedJob
{
    private bool done;

    /// <summary>The entry's id.</summary>
    public long Entry => entry;

    /// <summary>The claim: grows each time the entry is claimed.</summary>
    public long Stamp => stamp;

    /// <inheritdoc/>
    public string JobId => jobId;

    /// <summary>Nothing is left to do: a transaction acknowledged it, or found that it was lost.</summary>
    public void Settle() => done = true;

    /// <inheritdoc/>
    public void RemoveFromQueue()
    {
        if (done) return;
        queue.Acknowledge(this);
        done = true;
    }

    /// <inheritdoc/>
    public void Requeue()
    {
        if (done) return;
        queue.Requeue(this);
        done = true;
    }

    /// <summary>Gives it back, unless it was acknowledged.</summary>
    public void Dispose() => Requeue();
}
