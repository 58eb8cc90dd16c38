using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>A database file, and how connections to it are opened.</summary>
/// <remarks>
/// WAL, so that readers never wait for a writer; synchronous=FULL, so that a commit that returned survives a power failure: the ledger's
/// promises hang on that. Speed comes from grouping writes, not from a weaker setting.
/// </remarks>
internal sealed class SqliteFile
{
    /// <summary>How long a writer waits for another process: an import of a million rows is one transaction of some seconds.</summary>
    public const int BusySeconds = 60;

    private const int MemoryStatistics = 9;

    private readonly string connectionString;

    // SQLite counts every byte it allocates, under one lock for all threads, for statistics that nobody reads here. Too late, it changes nothing.
    static SqliteFile()
    {
        Batteries_V2.Init();
        _ = raw.sqlite3_config(MemoryStatistics, 0);
    }

    private SqliteFile(string path, string connectionString) => (Path, this.connectionString) = (path, connectionString);

    /// <summary>The file's full path, for messages.</summary>
    public string Path { get; }

    /// <summary>Finds the file, creating its folder and an empty file that only its owner can read: it will hold addresses and keys.</summary>
    /// <exception cref="StorageException">The folder or the file cannot be created or opened, or it is gone and its log is not.</exception>
    public static SqliteFile Prepare(string connectionString)
    {
        var builder = Parse(connectionString);
        var path = PathOf(connectionString, builder);
        builder.DataSource = path;
        builder.Pooling = false;
        builder.DefaultTimeout = BusySeconds;
        // A connection that is opened later makes no empty file where ours is gone.
        if (builder.Mode == SqliteOpenMode.ReadWriteCreate) builder.Mode = SqliteOpenMode.ReadWrite;
        Create(path);
        return new SqliteFile(path, builder.ConnectionString);
    }

    /// <summary>The full path of the file that a connection string names; it need not be there.</summary>
    /// <exception cref="StorageException">It names none.</exception>
    public static string PathOf(string connectionString) => PathOf(connectionString, Parse(connectionString));

    /// <summary>Opens the connection that writes.</summary>
    public SqliteConnection OpenWriter()
    {
        var connection = Open();
        var mode = Scalar(connection, "PRAGMA journal_mode = WAL");
        if (mode as string != "wal")
        {
            connection.Dispose();
            throw new StorageException($"The database {Path} cannot use a write-ahead log here (it is in mode '{mode}'); is it on a network drive? Put it on a local disk.");
        }
        KeepPages(connection, isLarge: false);
        Execute(connection, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;");
        return connection;
    }

    /// <summary>
    /// How much of the file a connection may keep in memory: 4 MB for rows that are worked on one after the other, 16 MB where an index is entered in
    /// no order (docs/benchmarks.md). What is kept beyond is given back at once; a connection that is opened gives back what came before it.
    /// </summary>
    public static void KeepPages(SqliteConnection connection, bool isLarge)
    {
        Execute(connection, isLarge ? "PRAGMA cache_size = -16384;" : "PRAGMA cache_size = -4096; PRAGMA shrink_memory;");
        if (!isLarge) FreedMemory.GiveBack();
    }

    /// <summary>
    /// Does work whose rows are right by how they are made: values that meet every CHECK, keys that were read or made within the work. Not looking
    /// at each again is more than half of the time it takes to add a million rows. What is unique stays so. Only outside a transaction.
    /// </summary>
    public static T Trusting<T>(SqliteConnection connection, Func<T> work)
    {
        Execute(connection, "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;");
        try
        {
            return work();
        }
        finally
        {
            Execute(connection, "PRAGMA ignore_check_constraints = OFF; PRAGMA foreign_keys = ON;");
        }
    }

    /// <summary>Opens a connection that cannot write.</summary>
    public SqliteConnection OpenReader()
    {
        var connection = Open();
        Execute(connection, "PRAGMA query_only = ON;");
        return connection;
    }

    /// <summary>Opens a connection without settings of its own.</summary>
    public SqliteConnection Open()
    {
        SqliteSides.Open(Path);
        var connection = new SqliteConnection(connectionString);
        try
        {
            connection.Open();
            Execute(connection, $"PRAGMA busy_timeout = {BusySeconds * 1000};");
            return connection;
        }
        catch (SqliteException failure)
        {
            connection.Dispose();
            throw SqliteTrouble.Explain(failure, Path);
        }
    }

    /// <summary>Runs statements that return nothing of interest.</summary>
    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>The first column of the first row, or null.</summary>
    public static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static string PathOf(string connectionString, SqliteConnectionStringBuilder builder)
        => builder.DataSource is not ("" or ":memory:") && builder.Mode != SqliteOpenMode.Memory
            ? NotAFolder(System.IO.Path.GetFullPath(builder.DataSource))
            : throw new StorageException($"Storage:ConnectionString '{connectionString}' names no file; give the path of the database file.");

    private static string NotAFolder(string path)
        => Directory.Exists(path) ? throw new StorageException($"The database {path} is a folder, where a file has to be. Move it away; if there ever was a database here, put a backup in its place.") : path;

    private static SqliteConnectionStringBuilder Parse(string text)
    {
        var isConnectionString = text.Contains("Data Source", StringComparison.OrdinalIgnoreCase)
            || text.Contains("DataSource", StringComparison.OrdinalIgnoreCase)
            || text.Contains("Filename", StringComparison.OrdinalIgnoreCase);
        if (!isConnectionString || !text.Contains('=')) return new SqliteConnectionStringBuilder { DataSource = text };
        try
        {
            return new SqliteConnectionStringBuilder(text);
        }
        catch (ArgumentException problem)
        {
            throw new StorageException($"Storage:ConnectionString cannot be read: {problem.Message} Give the path of the database file.", problem);
        }
    }

    private static void Create(string path)
    {
        if (File.Exists(path)) return;
        if (SqliteTrouble.OfMissing(path) is { } missing) throw missing;
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            PrivateFolder.Create(System.IO.Path.GetDirectoryName(path)!);
            new FileStream(path, options).Dispose();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw SqliteTrouble.OfFolder(path, problem) ?? new StorageException(
                $"The database {path} cannot be created: {problem.Message} Make its folder writable.", problem);
        }
    }
}
