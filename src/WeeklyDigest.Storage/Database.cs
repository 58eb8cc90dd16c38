using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage.Sqlite;

namespace WeeklyDigest.Storage;

/// <summary>The database of an installation: opened and migrated once per process. Several processes may have it open at once.</summary>
public sealed class Database : IDisposable
{
    private readonly SqliteReaders readers;
    private readonly SqliteWriter writer;

    private Database(SqliteFile file, TimeProvider time)
    {
        writer = new SqliteWriter(file);
        readers = new SqliteReaders(file);
        Subscribers = new SqliteSubscriberStore(writer, readers, time);
        Mailings = new SqliteMailingStore(writer, readers);
        Ledger = new SqliteLedger(writer, readers);
    }

    /// <summary>Subscribers, lists, suppressions.</summary>
    public ISubscriberStore Subscribers { get; }

    /// <summary>Mailings.</summary>
    public IMailingStore Mailings { get; }

    /// <summary>Deliveries.</summary>
    public ILedger Ledger { get; }

    /// <summary>Opens, creating and migrating as needed.</summary>
    /// <param name="options">Provider and connection string.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="StorageException">It cannot be opened, is newer than this program, or is no database; says what to do.</exception>
    public static Database Open(StorageOptions options, TimeProvider time)
    {
        if (!options.Provider.Equals("sqlite", StringComparison.OrdinalIgnoreCase))
            throw new StorageException($"Storage:Provider is '{options.Provider}', which is not available in this version; set it to sqlite.");
        var file = SqliteFile.Prepare(options.ConnectionString);
        SqliteMigrations.Apply(file);
        return new Database(file, time);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        readers.Dispose();
        writer.Dispose();
    }
}
