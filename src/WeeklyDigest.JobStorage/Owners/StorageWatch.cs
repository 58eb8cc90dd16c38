using Hangfire.Logging;
using Hangfire.Storage.SQLite.Database;
using Hangfire.Storage.SQLite.Queues;

namespace Hangfire.Storage.SQLite.Owners;

/// <summary>The one thread of a storage: shows that this process lives, looks after the others, and notices what they wrote. Idle, it reads a few rows a second.</summary>
/// <param name="database">The database.</param>
/// <param name="leftovers">What is still to be let go of.</param>
/// <param name="watch">Looks after the others.</param>
/// <param name="queue">Whose workers to wake.</param>
/// <param name="locks">Whose waiting threads to wake.</param>
/// <param name="options">How often to look, and the lease.</param>
internal sealed class StorageWatch(
    JobDatabase database, Leftovers leftovers, OwnerWatch watch, JobQueue queue, Signal locks, SQLiteStorageOptions options) : IDisposable
{
    private readonly ILog log = LogProvider.For<SQLiteStorage>();
    private readonly TimeSpan beatInterval = options.InvisibilityTimeout / OwnerWatch.BeatsOfALease;
    private readonly ManualResetEventSlim stop = new();
    private readonly Lock gate = new();
    private Thread? thread;
    private Session? reader;
    private long version = -1;
    private long lastBeat;
    private bool failing;

    /// <summary>Starts the thread, once: before this process claims, locks or waits for the first time.</summary>
    public void Start()
    {
        if (Volatile.Read(ref thread) is not null) return;
        lock (gate)
        {
            if (thread is not null || stop.IsSet) return;
            var started = new Thread(Run) { IsBackground = true, Name = "Hangfire.Storage.SQLite watch" };
            started.Start();
            Volatile.Write(ref thread, started);
        }
    }

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        lock (gate) stop.Set();
        // It may hang behind another program's lock; the process does not wait for that.
        if (thread?.Join(TimeSpan.FromSeconds(1)) == false) return;
        reader?.Dispose();
        stop.Dispose();
    }

    private void Run()
    {
        var tick = options.QueuePollInterval < beatInterval ? options.QueuePollInterval : beatInterval;
        do LookSafely();
        while (!stop.Wait(tick));
    }

    // A database that cannot be read now may be back at the next look; the log says so once.
    private void LookSafely()
    {
        try
        {
            Look();
            failing = false;
        }
#pragma warning disable CA1031 // The edge of a thread: above it there is only the end of the process.
        catch (Exception problem)
#pragma warning restore CA1031
        {
            if (!failing && !stop.IsSet) log.WarnException("The job database cannot be watched; jobs wait until it is back. " + problem.Message, problem);
            failing = true;
        }
    }

    private void Look()
    {
        if (database.NoticeMove())
            log.Error($"The job database {database.Path} was moved, deleted or replaced while it was in use. This process goes on with the jobs that it has open, which nobody else sees, until it ends: restart it.");
        var (others, free) = watch.LookAtFiles();
        free |= leftovers.Retry();
        if (others > 0 && options.Clock.GetElapsedTime(lastBeat) >= beatInterval)
        {
            free |= watch.Beat();
            lastBeat = options.Clock.GetTimestamp();
        }
        reader ??= database.OpenReader();
        var now = reader.Plain("PRAGMA data_version").Number() ?? 0;
        if (!free && now == version) return;
        version = now;
        queue.Work.Announce();
        if (free) locks.Announce();
    }
}
