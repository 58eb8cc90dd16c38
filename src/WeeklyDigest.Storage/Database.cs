using System.Data.Common;
using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage.Postgres;
using WeeklyDigest.Storage.Sqlite;

namespace WeeklyDigest.Storage;

/// <summary>The database of an installation: opened and migrated once per process. Several processes may have it open at once.</summary>
public sealed class Database : IDisposable
{
    private readonly IDisposable[] connections;
    private readonly SqliteFile? file;
    private readonly PostgresServer? server;
    private readonly SqliteWriter? writer;

    private Database(SqliteFile file, TimeProvider time)
    {
        this.file = file;
        writer = new SqliteWriter(file);
        var readers = new SqliteReaders(file, writer);
        connections = [readers, writer];
        Subscribers = new SqliteSubscriberStore(writer, readers, time);
        Mailings = new SqliteMailingStore(writer, readers);
        Ledger = new SqliteLedger(writer, readers);
        Schedules = new SqliteScheduleStore(writer, readers);
        Relays = new SqliteRelayStore(writer, readers, time);
    }

    private Database(PostgresServer server, TimeProvider time)
    {
        this.server = server;
        connections = [server];
        Subscribers = new PostgresSubscriberStore(server, time);
        Mailings = new PostgresMailingStore(server);
        Ledger = new PostgresLedger(server, time);
        Schedules = new PostgresScheduleStore(server);
        Relays = new PostgresRelayStore(server);
        SignIns = new PostgresSignIns(server);
    }

    /// <summary>Subscribers, lists, suppressions.</summary>
    public ISubscriberStore Subscribers { get; }

    /// <summary>Mailings.</summary>
    public IMailingStore Mailings { get; }

    /// <summary>Deliveries.</summary>
    public ILedger Ledger { get; }

    /// <summary>The schedule.</summary>
    public IScheduleStore Schedules { get; }

    /// <summary>What is known of the relays.</summary>
    public IRelayStore Relays { get; }

    /// <summary>What nodes share of sign-ins; null when the database is a file, which only one machine works with.</summary>
    public PostgresSignIns? SignIns { get; }

    /// <summary>Whether several machines may work with it.</summary>
    public bool IsShared => server is not null;

    /// <summary>Whether a change of this process waits for another program to let go of the file.</summary>
    public bool IsWaiting => writer is { IsWaiting: true };

    /// <summary>Opens, creating and migrating as needed.</summary>
    /// <param name="options">Provider and connection string.</param>
    /// <param name="time">The clock.</param>
    /// <param name="jobs">The tables that the jobs have on a server: where they are and the ledger is not, none is begun anew.</param>
    /// <exception cref="StorageException">It cannot be opened, is newer than this program, is no database, or is gone where a server has run; says what to do.</exception>
    public static Database Open(StorageOptions options, TimeProvider time, JobTables? jobs = null) => options.Provider.ToLowerInvariant() switch
    {
        "sqlite" => OpenFile(options.ConnectionString, time),
        "postgres" => OpenServer(options.ConnectionString, time, jobs),
        _ => throw UnknownProvider(options),
    };

    /// <summary>Whether there is one, without opening it; a server is taken to be.</summary>
    /// <param name="options">Provider and connection string.</param>
    /// <exception cref="StorageException">Its file is gone and its log is not, or no file is named; says what to do.</exception>
    public static bool Exists(StorageOptions options)
    {
        if (!options.Provider.Equals("sqlite", StringComparison.OrdinalIgnoreCase)) return true;
        var path = SqliteFile.PathOf(options.ConnectionString);
        return SqliteTrouble.OfMissing(path) is { } missing ? throw missing : File.Exists(path);
    }

    /// <summary>The path of its file, when that is not there or nothing was ever written to it; null when it is, or there is a server.</summary>
    /// <param name="options">Provider and connection string.</param>
    /// <exception cref="StorageException">No file is named; says what to do.</exception>
    public static string? MissingFile(StorageOptions options)
    {
        if (!options.Provider.Equals("sqlite", StringComparison.OrdinalIgnoreCase)) return null;
        var path = SqliteFile.PathOf(options.ConnectionString);
        return new FileInfo(path) is { Exists: true, Length: > 0 } ? null : path;
    }

    /// <summary>Looks at it without changing anything.</summary>
    /// <param name="options">Provider and connection string.</param>
    /// <param name="patience">How long the database's own check of itself may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="jobs">The tables that the jobs have on a server.</param>
    /// <exception cref="StorageException">It cannot be opened or written, is newer than this program, or is no database of ours; says what to do.</exception>
    public static DatabaseExamination Examine(StorageOptions options, TimeSpan patience, TimeProvider time, JobTables jobs) => options.Provider.ToLowerInvariant() switch
    {
        "sqlite" => SqliteExamination.Run(options.ConnectionString, patience, time),
        "postgres" => PostgresExamination.Run(options.ConnectionString, jobs),
        _ => throw UnknownProvider(options),
    };

    /// <summary>Does something to the same database that only one node may do at a time, such as making other tables in it.</summary>
    /// <exception cref="StorageException">The server refused.</exception>
    public T Alone<T>(Func<T> work) => server is null ? work() : server.Alone(work);

    /// <summary>Does what one node is enough for, unless another is about to do so at this moment; with a file, always.</summary>
    /// <param name="work">The work; its exceptions are its own.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="StorageException">The server refused.</exception>
    public Task TryAloneAsync(Func<Task> work, CancellationToken cancel) => server is null ? work() : server.TryAloneAsync(work, cancel);

    /// <summary>Refuses to send from a ledger that has lost what its migrations made, as a look at it tells.</summary>
    /// <exception cref="StorageException">It has, or cannot be looked at; says what to do.</exception>
    public void RequireWhole()
    {
        if (file is not null) SqliteExamination.RequireWhole(file);
        else PostgresExamination.RequireWhole(server!);
    }

    /// <summary>Refuses tables of the jobs that are not whole, or that a newer version of their library made.</summary>
    /// <param name="tables">What they have to be; none being there is fine, and so is an older version.</param>
    /// <exception cref="StorageException">They are not, or cannot be looked at; says what to do. Nothing was changed.</exception>
    public void RequireJobs(JobTables tables)
    {
        if (server is not null) PostgresJobTables.Require(server, tables);
    }

    /// <summary>Refuses to go on with a file that is no longer in its place.</summary>
    /// <exception cref="StorageException">It was moved, deleted or replaced, or its log was; says what to do.</exception>
    public void RequirePresence() => writer?.RequirePresence();

    /// <summary>What time it is by the server that nodes share; null when the database is a file.</summary>
    /// <exception cref="StorageException">The server does not answer.</exception>
    public async Task<DateTimeOffset?> ServerTimeAsync(CancellationToken cancel) => server is null ? null : await server.TimeAsync(cancel);

    /// <summary>What a failure means that another library met with the tables of the jobs on the same server, in words; null when it is not the server's, or there is none.</summary>
    /// <param name="failure">The failure.</param>
    /// <param name="tables">The tables.</param>
    public string? ExplainJobs(Exception failure, JobTables tables) => server is not null && PostgresTrouble.IsTrouble(failure) ? PostgresJobTables.ExplainJobs(server, tables, failure) : null;

    /// <summary>Does something with the tables of the jobs, which another library reads and writes.</summary>
    /// <param name="schema">Where they are.</param>
    /// <param name="work">What to do.</param>
    /// <exception cref="StorageException">The database refused, or the tables are not what they should be; says what to do.</exception>
    public T UseJobs<T>(string schema, Func<T> work)
    {
        if (server is not null) return PostgresJobTables.UseJobs(server, schema, work);
        try
        {
            return work();
        }
        catch (DbException problem)
        {
            throw new StorageException($"The jobs cannot be written: {problem.Message}", problem) { IsAway = problem.IsTransient };
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var connection in connections) connection.Dispose();
    }

    private static StorageException UnknownProvider(StorageOptions options) => new($"Storage:Provider is '{options.Provider}'; set it to sqlite or postgres.");

    private static Database OpenFile(string connectionString, TimeProvider time)
    {
        var file = SqliteFile.Prepare(connectionString);
        SqliteMigrations.Apply(file);
        return new Database(file, time);
    }

    private static Database OpenServer(string connectionString, TimeProvider time, JobTables? jobs)
    {
        var server = PostgresServer.Prepare(connectionString);
        try
        {
            PostgresMigrations.Apply(server, jobs);
            return new Database(server, time);
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }
}
