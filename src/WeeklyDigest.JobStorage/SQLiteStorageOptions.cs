namespace Hangfire.Storage.SQLite;

/// <summary>How the storage behaves. The defaults are right for one server or several on one machine.</summary>
/// <remarks>The names are those of the package Hangfire.Storage.SQLite; where a setting means something else here, or nothing, it says so.</remarks>
public sealed class SQLiteStorageOptions
{
    private TimeSpan queuePollInterval = TimeSpan.FromSeconds(1);
    private TimeSpan invisibilityTimeout = TimeSpan.FromSeconds(15);
    private TimeSpan distributedLockLifetime = TimeSpan.FromSeconds(15);
    private TimeSpan jobExpirationCheckInterval = TimeSpan.FromMinutes(15);
    private TimeSpan countersAggregateInterval = TimeSpan.FromMinutes(5);
    private JournalModes journalMode = JournalModes.WAL;
    private int poolSize = 20;

    /// <summary>SQLite's auto_vacuum.</summary>
    public enum AutoVacuum
    {
        /// <summary>The file keeps its size; free pages are used again.</summary>
        NONE = 0,

        /// <summary>The file shrinks with every commit that frees pages.</summary>
        FULL = 1,

        /// <summary>The file shrinks when expired jobs are swept.</summary>
        INCREMENTAL = 2,
    }

    /// <summary>SQLite's journal_mode.</summary>
    public enum JournalModes
    {
        /// <summary>Refused.</summary>
        DELETE,

        /// <summary>Refused.</summary>
        TRUNCATE,

        /// <summary>Refused.</summary>
        PERSIST,

        /// <summary>Refused.</summary>
        MEMORY,

        /// <summary>The write-ahead log.</summary>
        WAL,

        /// <summary>Refused.</summary>
        OFF,
    }

    /// <summary>
    /// How often to look whether another process enqueued a job, over 0; default 1 s. A look costs some microseconds, in which nothing is
    /// written. Workers of the same process are woken at once.
    /// </summary>
    public TimeSpan QueuePollInterval { get => queuePollInterval; set => queuePollInterval = Positive(value); }

    /// <summary>
    /// The lease of claimed jobs and of locks, over 0; default 15 s. It is renewed while the process lives, however long a job takes. A process
    /// that is killed loses what it held within seconds, one that merely shows no sign of life after this time.
    /// </summary>
    public TimeSpan InvisibilityTimeout { get => invisibilityTimeout; set => invisibilityTimeout = Positive(value); }

    /// <summary>Without effect: locks have the lease of <see cref="InvisibilityTimeout"/>. Over 0.</summary>
    public TimeSpan DistributedLockLifetime { get => distributedLockLifetime; set => distributedLockLifetime = Positive(value); }

    /// <summary>Time between two sweeps of expired jobs, sets, hashes, lists and counters, over 0; default 15 min.</summary>
    public TimeSpan JobExpirationCheckInterval { get => jobExpirationCheckInterval; set => jobExpirationCheckInterval = Positive(value); }

    /// <summary>Without effect: counters are aggregated by the transaction that counts. Over 0.</summary>
    public TimeSpan CountersAggregateInterval { get => countersAggregateInterval; set => countersAggregateInterval = Positive(value); }

    /// <summary>Whether a new file is made to shrink; an existing one stays as it is. Default NONE.</summary>
    public AutoVacuum AutoVacuumSelected { get; set; } = AutoVacuum.NONE;

    /// <summary>WAL. Others are refused: with them a reader and a writer wait for each other.</summary>
    /// <exception cref="ArgumentException">Another mode.</exception>
    public JournalModes JournalMode
    {
        get => journalMode;
        set => journalMode = value == JournalModes.WAL ? value : throw new ArgumentException($"The journal mode has to be WAL. Given: {value}.", nameof(value));
    }

    /// <summary>Idle reading connections that are kept open, 1 or more; default 20.</summary>
    public int PoolSize { get => poolSize; set => poolSize = value >= 1 ? value : throw new ArgumentException($"The pool size has to be 1 or more. Given: {value}.", nameof(value)); }

    /// <summary>Shown with the path; nothing else hangs on it: one file holds one storage. Default hangfire.</summary>
    public string Prefix { get; set; } = "hangfire";

    /// <summary>A random name of these options.</summary>
    public string ClientId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The clock. The one place that takes the system's.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How long a write waits while another process writes.</summary>
    internal TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(15);

    private static TimeSpan Positive(TimeSpan value)
        => value > TimeSpan.Zero ? value : throw new ArgumentException($"The time has to be over 0. Given: {value}.", nameof(value));
}
