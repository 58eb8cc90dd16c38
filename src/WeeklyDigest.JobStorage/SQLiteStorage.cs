using Hangfire.Logging;
using Hangfire.Server;
using Hangfire.Storage.SQLite.Database;
using Hangfire.Storage.SQLite.Locks;
using Hangfire.Storage.SQLite.Monitoring;
using Hangfire.Storage.SQLite.Owners;
using Hangfire.Storage.SQLite.Queues;

namespace Hangfire.Storage.SQLite;

/// <summary>
/// Hangfire's jobs in a SQLite file. Any number of processes of one machine may share it: a job is claimed by one of them, a job of a process
/// that lives is not started again, and one of a process that died is started again within seconds.
/// </summary>
public sealed class SQLiteStorage : JobStorage, IDisposable
{
    private static readonly HashSet<string> Features = new(StringComparer.OrdinalIgnoreCase)
    {
        JobStorageFeatures.JobQueueProperty,
        JobStorageFeatures.ExtendedApi,
        JobStorageFeatures.ProcessesInsteadOfComponents,
        JobStorageFeatures.Connection.GetUtcDateTime,
        JobStorageFeatures.Connection.GetSetContains,
        JobStorageFeatures.Connection.LimitedGetSetCount,
        JobStorageFeatures.Connection.BatchedGetFirstByLowest,
        JobStorageFeatures.Transaction.AcquireDistributedLock,
        JobStorageFeatures.Transaction.CreateJob,
        JobStorageFeatures.Transaction.SetJobParameter,
        JobStorageFeatures.Transaction.RemoveFromQueue(typeof(SQLiteFetchedJob)),
        JobStorageFeatures.Monitoring.DeletedStateGraphs,
        JobStorageFeatures.Monitoring.AwaitingJobs,
    };

    private readonly SQLiteStorageOptions options;
    private bool disposed;

    /// <summary>Opens the file with the default options.</summary>
    /// <param name="databasePath">The path of the file, created if it is not there; or a connection string with Data Source.</param>
    /// <exception cref="SQLiteStorageException">The file cannot be used; says why and what to do.</exception>
    public SQLiteStorage(string databasePath) : this(databasePath, new SQLiteStorageOptions()) { }

    /// <summary>Opens the file.</summary>
    /// <param name="databasePath">The path of the file, created if it is not there; or a connection string with Data Source.</param>
    /// <param name="storageOptions">How the storage behaves.</param>
    /// <exception cref="SQLiteStorageException">The file cannot be used; says why and what to do.</exception>
    public SQLiteStorage(string databasePath, SQLiteStorageOptions storageOptions)
    {
        ArgumentNullException.ThrowIfNull(databasePath);
        ArgumentNullException.ThrowIfNull(storageOptions);
        options = storageOptions;
        Database = JobDatabase.Open(databasePath, options);
        Owner = new Owner(Owner.FolderOf(Database.Path));
        var leftovers = new Leftovers(Database);
        Queue = new JobQueue(Database, leftovers, Owner, Clock);
        Locks = new LockTable(Database, leftovers, Owner, Clock);
        Watch = new StorageWatch(Database, leftovers, new OwnerWatch(Database, Owner), Queue, Locks.Released, options);
    }

    /// <summary>True: what was committed before a read began is in it.</summary>
    public override bool LinearizableReads => true;

    internal JobDatabase Database { get; }

    internal Owner Owner { get; }

    internal JobQueue Queue { get; }

    internal LockTable Locks { get; }

    internal StorageWatch Watch { get; }

    internal TimeProvider Clock => options.Clock;

    /// <inheritdoc/>
    public override IStorageConnection GetConnection()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return new HangfireSQLiteConnection(this);
    }

    /// <inheritdoc/>
    public override IMonitoringApi GetMonitoringApi()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return new SQLiteMonitoringApi(Database, Clock);
    }

    /// <inheritdoc/>
    public override IEnumerable<IBackgroundProcess> GetStorageWideProcesses() => [new ExpirySweep(Database, options)];

    /// <inheritdoc/>
    public override bool HasFeature(string featureId)
    {
        ArgumentNullException.ThrowIfNull(featureId);
        return Features.Contains(featureId) || base.HasFeature(featureId);
    }

    /// <inheritdoc/>
    public override void WriteOptionsToLog(ILog logger)
        => logger.Info($"Job storage: {this}, lease {options.InvisibilityTimeout}, a look for other processes' jobs each {options.QueuePollInterval}.");

    /// <summary>The path and the prefix.</summary>
    public override string ToString() => $"SQLite {Database.Path}, prefix {options.Prefix}";

    /// <summary>Lets go of everything this process holds and closes the file. To be called when the servers have stopped.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        Watch.Dispose();
        try
        {
            Owner.Leave(Database);
        }
        catch (SQLiteStorageException)
        {
            // Then the others find our file unlocked.
        }
        Owner.Dispose();
        Database.Dispose();
    }
}
