using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>
/// Whether the file that is open is the one at its path, and its log and its shared memory are those beside it. What is committed to others is gone with this
/// process, or with the next one, and who shares other memory takes the same places in the log. Asked with every change and every read: three questions to the
/// system. On Windows nothing of that can be while they are open.
/// </summary>
/// <param name="path">The file's full path.</param>
/// <param name="connection">A connection to it that is used for nothing else: that of the writer may hang behind another program's lock.</param>
internal sealed class SqlitePresence(string path, SqliteConnection connection) : IDisposable
{
    // SQLITE_FCNTL_HAS_MOVED.
    private const int HasMovedCode = 20;

    // SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE.
    private const int NoCheckpointOnClose = 1006;

    private readonly Side log = new(path + "-wal");
    private readonly Side memory = new(path + "-shm");
    private readonly Lock gate = new();

    /// <summary>Whether the log was once found gone. Another one may be at its path since, of processes that do not know what is in ours.</summary>
    public bool IsLogLost => log.IsLost;

    /// <summary>Whether the log is gone and no other is in its place.</summary>
    public bool IsLogMissing => log.IsMissing;

    /// <summary>Whether the log or the memory was once found gone: nothing is committed any more.</summary>
    public bool IsSideLost => log.IsLost || memory.IsLost;

    /// <summary>What is wrong, or null. A file that is put back is the one that is open; a log or a memory is never taken back.</summary>
    /// <param name="isInTransaction">Whether a transaction is open: then there is a log.</param>
    public StorageException? Trouble(bool isInTransaction = false)
    {
        lock (gate)
        {
            if (HasMoved) return Of($"The database {path} was moved, deleted or replaced while it was in use. Stop every weeklydigest that uses it, put that file back, or a backup with no {Path.GetFileName(path)}-wal and -shm beside it, and start again.");
            log.Look(isInTransaction);
            memory.Look(isInTransaction);
            return log.IsLost ? Of(log) : memory.IsLost ? Of(memory) : null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate) Close(connection);
    }

    /// <summary>
    /// Closes a connection to the file. The last one of a file carries the log into it and deletes it; where the memory was lost it must not: it does not
    /// know what others have written there since.
    /// </summary>
    public void Close(SqliteConnection some)
    {
        if (memory.IsLost) LeaveLog(some);
        some.Dispose();
    }

    /// <summary>The connection does nothing with the log when it is closed.</summary>
    public static void LeaveLog(SqliteConnection some) => _ = raw.sqlite3_db_config(some.Handle, NoCheckpointOnClose, 1, out _);

    private bool HasMoved => connection.Handle is { } open && FileControl(open, null, HasMovedCode, out var moved) == raw.SQLITE_OK && moved != 0;

    private static StorageException Of(Side side) => Of(
        $"The file {side.Path}, which belongs to the database, was moved, deleted or replaced while it was in use. Stop every weeklydigest that uses the database, with Ctrl-C or SIGTERM, put no other {Path.GetFileName(side.Path)} there, and start again.");

    private static StorageException Of(string words) => new(words) { NeedsRestart = true };

    // Not in SQLitePCL's own interface.
    [DllImport("e_sqlite3", EntryPoint = "sqlite3_file_control")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern int FileControl(sqlite3 database, byte[]? name, int code, out int result);

    /// <summary>A file that SQLite makes beside the database with the first read or change.</summary>
    private sealed class Side(string path)
    {
        private ulong? number;
        private volatile bool isLost;

        public string Path => path;

        public bool IsLost => isLost;

        public bool IsMissing => isLost && SqliteSides.NumberOf(path) is null;

        public void Look(bool mustBeThere)
        {
            if (isLost) return;
            var now = SqliteSides.NumberOf(path);
            isLost = number is null ? mustBeThere && now is null : now != number;
            number ??= now;
        }
    }
}
