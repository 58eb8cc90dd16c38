using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>
/// Whether the file that is open is the one at its path, and its log the one beside it. What is committed to others is gone with this process, or with the
/// next one. Asked with every change and every read: two questions to the system. On Windows neither can be while they are open.
/// </summary>
/// <param name="path">The file's full path.</param>
/// <param name="connection">A connection to it that is used for nothing else: that of the writer may hang behind another program's lock.</param>
internal sealed class SqlitePresence(string path, SqliteConnection connection) : IDisposable
{
    // SQLITE_FCNTL_HAS_MOVED.
    private const int HasMovedCode = 20;

    private readonly string logPath = path + "-wal";
    private readonly Lock gate = new();
    private ulong? log;
    private volatile bool isLogLost;

    /// <summary>Whether the log was once found gone. Another one may be at its path since, of processes that do not know what is in ours.</summary>
    public bool IsLogLost => isLogLost;

    /// <summary>Whether the log is gone and no other is in its place.</summary>
    public bool IsLogMissing => isLogLost && SqliteSides.NumberOf(logPath) is null;

    /// <summary>What is wrong, or null. A file that is put back is the one that is open; a log is never taken back.</summary>
    /// <param name="isInTransaction">Whether a transaction is open: then there is a log.</param>
    public StorageException? Trouble(bool isInTransaction = false)
    {
        lock (gate)
        {
            if (HasMoved) return Of($"The database {path} was moved, deleted or replaced while it was in use. Stop every weeklydigest that uses it, put that file back, or a backup with no {Path.GetFileName(path)}-wal and -shm beside it, and start again. Nothing is sent until then.");
            LookAtLog(isInTransaction);
            return isLogLost ? Of($"The file {logPath}, which belongs to the database, was moved, deleted or replaced while it was in use. Stop every weeklydigest that uses the database, with Ctrl-C or SIGTERM, put no other {Path.GetFileName(logPath)} there, and start again. Nothing is sent until then.") : null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate) connection.Dispose();
    }

    private bool HasMoved => connection.Handle is { } open && FileControl(open, null, HasMovedCode, out var moved) == raw.SQLITE_OK && moved != 0;

    private void LookAtLog(bool isInTransaction)
    {
        if (isLogLost) return;
        var now = SqliteSides.NumberOf(logPath);
        // SQLite makes it with the first read or change.
        isLogLost = log is null ? isInTransaction && now is null : now != log;
        log ??= now;
    }

    private static StorageException Of(string words) => new(words);

    // Not in SQLitePCL's own interface.
    [DllImport("e_sqlite3", EntryPoint = "sqlite3_file_control")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern int FileControl(sqlite3 database, byte[]? name, int code, out int result);
}
