using Microsoft.Data.Sqlite;

namespace Hangfire.Storage.SQLite.Database;

/// <summary>The database file, and how connections to it are opened: with a write-ahead log, so that readers never wait for a writer.</summary>
internal sealed class JobFile
{
    private readonly string connectionString;
    private readonly int busyMilliseconds;

    private JobFile(string path, string connectionString, TimeSpan busy)
        => (Path, this.connectionString, busyMilliseconds) = (path, connectionString, (int)busy.TotalMilliseconds);

    /// <summary>The file's full path.</summary>
    public string Path { get; }

    /// <summary>Finds the file, creating its folder and an empty file that only its owner can read: job arguments may be private.</summary>
    /// <param name="nameOrConnectionString">A path, or a connection string with Data Source.</param>
    /// <param name="busy">How long to wait while another process writes.</param>
    /// <exception cref="SQLiteStorageException">It names no file, or the file cannot be created.</exception>
    public static JobFile Prepare(string nameOrConnectionString, TimeSpan busy)
    {
        var file = Find(nameOrConnectionString, busy);
        Create(file.Path);
        return file;
    }

    /// <summary>Finds the file; it need not be there.</summary>
    /// <inheritdoc cref="Prepare"/>
    public static JobFile Find(string nameOrConnectionString, TimeSpan busy)
    {
        var builder = Parse(nameOrConnectionString);
        if (builder.DataSource is "" or ":memory:" || builder.Mode == SqliteOpenMode.Memory)
            throw new SQLiteStorageException($"'{nameOrConnectionString}' names no file. Give the path of the job database.");
        var path = System.IO.Path.GetFullPath(builder.DataSource);
        if (Directory.Exists(path)) throw new SQLiteStorageException($"The job database {path} is a folder, where a file has to be. Move it away.");
        builder.DataSource = path;
        builder.Pooling = false;
        // A connection that is opened later makes no empty file where ours is gone.
        if (builder.Mode == SqliteOpenMode.ReadWriteCreate) builder.Mode = SqliteOpenMode.ReadWrite;
        return new JobFile(path, builder.ConnectionString, busy);
    }

    /// <summary>Opens the connection that writes.</summary>
    public Session OpenWriter(string autoVacuum)
    {
        var session = Open();
        // Of effect only while the file is still empty.
        session.Plain($"PRAGMA auto_vacuum = {autoVacuum}").Run();
        if (session.Insist("PRAGMA journal_mode = WAL") is not "wal" and var mode)
        {
            session.Dispose();
            throw new SQLiteStorageException($"The job database {Path} cannot use a write-ahead log here (it is in mode '{mode}'); is it on a network drive? Put it on a local disk.");
        }
        session.Plain("PRAGMA foreign_keys = ON").Run();
        session.Plain("PRAGMA journal_size_limit = 67108864").Run();
        return session;
    }

    /// <summary>Opens a connection that cannot write.</summary>
    public Session OpenReader()
    {
        var session = Open();
        session.Plain("PRAGMA query_only = ON").Run();
        return session;
    }

    /// <summary>Opens a connection without settings of its own.</summary>
    public Session Open()
    {
        Sides.Open(Path);
        var connection = new SqliteConnection(connectionString);
        try
        {
            connection.Open();
            var session = new Session(connection);
            session.Plain($"PRAGMA busy_timeout = {busyMilliseconds}").Run();
            return session;
        }
        catch (SqliteException failure)
        {
            connection.Dispose();
            throw Trouble.Explain(failure, Path);
        }
    }

    private static SqliteConnectionStringBuilder Parse(string text)
    {
        var isConnectionString = text.Contains('=', StringComparison.Ordinal)
            && (text.Contains("Data Source", StringComparison.OrdinalIgnoreCase) || text.Contains("DataSource", StringComparison.OrdinalIgnoreCase)
                || text.Contains("Filename", StringComparison.OrdinalIgnoreCase));
        if (!isConnectionString) return new SqliteConnectionStringBuilder { DataSource = text };
        try
        {
            return new SqliteConnectionStringBuilder(text);
        }
        catch (ArgumentException problem)
        {
            throw new SQLiteStorageException($"The connection string of the job database cannot be read: {problem.Message} Give the path of the file.", problem);
        }
    }

    private static void Create(string path)
    {
        if (File.Exists(path)) return;
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            new FileStream(path, options).Dispose();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new SQLiteStorageException($"The job database {path} cannot be created: {problem.Message} Make its folder writable.", problem);
        }
    }
}
