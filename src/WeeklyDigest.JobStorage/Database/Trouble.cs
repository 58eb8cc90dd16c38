using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Hangfire.Storage.SQLite.Database;

/// <summary>SQLite's result codes in words that say what to do (sqlite.org/rescode.html).</summary>
internal static class Trouble
{
    /// <summary>The failure as a person can use it.</summary>
    public static SQLiteStorageException Explain(SqliteException failure, string path) => new(CodeOf(failure) switch
    {
        SQLITE_NOTADB => $"The file {path} is not a database. Move it away.",
        SQLITE_CORRUPT => $"The job database {path} is damaged ({failure.Message}) Stop the program and restore a backup, or move the file away to start with an empty one.",
        SQLITE_CANTOPEN or SQLITE_READONLY or SQLITE_PERM when Sides.Closed(path) is [var side, ..]
            => $"The job database {path} cannot be used: the user {Environment.UserName} may not read and write {side}, which belongs to it. Let that user read and write it (`chown {Environment.UserName} {side}`).",
        SQLITE_CANTOPEN => $"The job database {path} cannot be opened: is it a file, and may this user read and write it and its folder?",
        SQLITE_READONLY => $"The job database {path} cannot be written. Make the file and its folder writable for this user.",
        SQLITE_PERM or SQLITE_AUTH => $"This user may not use the job database {path}. Make the file and its folder writable.",
        SQLITE_FULL => $"The disk with the job database {path} is full. Nothing of the last change was kept; it goes on when there is room.",
        SQLITE_IOERR => $"The disk with the job database {path} fails ({failure.Message}) Nothing of the last change was kept.",
        SQLITE_BUSY or SQLITE_LOCKED => $"Another program keeps the job database {path} busy: end it, or wait until it is done.",
        _ => $"The job database {path} refused: {failure.Message}",
    }, failure);

    // The shared memory of the write-ahead log is a file; where that cannot grow, SQLite does not say that the disk is full.
    private static int CodeOf(SqliteException failure) => failure.SqliteExtendedErrorCode == SQLITE_IOERR_SHMSIZE ? SQLITE_FULL : failure.SqliteErrorCode;
}
