using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>SQLite's result codes in words that say what to do (sqlite.org/rescode.html).</summary>
internal static class SqliteTrouble
{
    /// <summary>The failure as a person can use it.</summary>
    // SQLite says the same of a file and of its folder, where it needs files of its own to write, and even to read.
    public static StorageException Explain(SqliteException failure, string path)
        => failure.SqliteErrorCode is SQLITE_CANTOPEN or SQLITE_READONLY or SQLITE_PERM && OfFolder(path, failure) is { } trouble ? trouble : OfFile(failure, path);

    /// <summary>What is wrong with the folder of a database, or null when it can be written.</summary>
    public static StorageException? OfFolder(string path, Exception? failure = null) => FolderTrouble.Of(Path.GetDirectoryName(path)!) is { } trouble
        ? new StorageException(
            $"The database {path} cannot be used: {trouble.What}. {trouble.Advice(Path.GetDirectoryName(path)!, "Paths:Data, or Storage:ConnectionString for the database alone, to another place")}", failure)
        : null;

    /// <summary>
    /// What is wrong where a log has no database, or null. Whoever was to open it would make an empty database, and SQLite would throw the log away: what
    /// was sent last is in it alone.
    /// </summary>
    // In this order: whoever makes a database at this moment has made the file before its log.
    public static StorageException? OfMissing(string path) => File.Exists(path + "-wal") && !File.Exists(path)
        ? new StorageException($"The database {path} was moved or deleted: its log {Path.GetFileName(path)}-wal alone is there, with what was sent last. Put that file back and start again. To put a backup in its place, or to begin with an empty database, stop every weeklydigest that uses it and move {Path.GetFileName(path)}-wal and -shm away first.") { NeedsRestart = true }
        : null;

    private static StorageException OfFile(SqliteException failure, string path) => new(CodeOf(failure) switch
    {
        SQLITE_NOTADB => $"The file {path} is not a database. Put a backup in its place; if there never was a database here, move it away.",
        SQLITE_CORRUPT => $"The database {path} is damaged ({failure.Message}) Stop the program, keep a copy of the file, and restore a backup or run sqlite3's .recover.",
        SQLITE_CANTOPEN or SQLITE_READONLY or SQLITE_PERM when SqliteSides.Closed(path) is [var side, ..]
            => $"The database {path} cannot be used: the user {Environment.UserName} may not read and write {side}, which belongs to it. Let that user read and write it (`chown {Environment.UserName} {side}`).",
        SQLITE_CANTOPEN => $"The database {path} cannot be opened: is it a file, and may this user read and write it and its folder?",
        SQLITE_READONLY => $"The database {path} cannot be written. Make the file and its folder writable for this user.",
        SQLITE_PERM or SQLITE_AUTH => $"This user may not use the database {path}. Make the file and its folder writable.",
        SQLITE_FULL => $"The disk with the database {path} is full: make room. Until then nothing new is kept.",
        SQLITE_IOERR when SqliteSides.IsLogEmpty(path)
            => $"The file {path}-wal, which belongs to the database, was moved or deleted while another program uses the database. Stop every weeklydigest that uses it, with Ctrl-C or SIGTERM, and start again.",
        SQLITE_IOERR => $"The disk with the database {path} fails ({failure.Message}) Nothing of the last change was kept.",
        SQLITE_BUSY or SQLITE_LOCKED => $"Another program has kept the database {path} busy for over {SqliteFile.BusySeconds} seconds; find and end it.",
        SQLITE_ERROR when IsOfSchema(failure) => SchemaObjects.AreLost($"The database {path}", failure.Message.TrimEnd('.')),
        SQLITE_CONSTRAINT when EntryOfMove(failure) is { } moved => SqliteMigrations.WasMoved(path, moved),
        _ => $"The database {path} refused: {failure.Message}",
    }, failure)
    {
        IsLasting = failure.SqliteErrorCode is not (SQLITE_CANTOPEN or SQLITE_READONLY or SQLITE_PERM or SQLITE_AUTH or SQLITE_FULL or SQLITE_IOERR or SQLITE_BUSY or SQLITE_LOCKED),
        NeedsRestart = failure.SqliteErrorCode == SQLITE_IOERR && SqliteSides.IsLogEmpty(path),
        IsAway = CodeOf(failure) is SQLITE_BUSY or SQLITE_LOCKED or SQLITE_FULL,
    };

    // SQLite has one code for whatever a statement asks for in vain; its words are in English everywhere.
    private static bool IsOfSchema(SqliteException failure)
        => ((string[])["no such table", "no such column", "has no column named"]).Any(words => failure.Message.Contains(words, StringComparison.Ordinal));

    // A trigger's words, of who opened the file just before: they stand in quotation marks in the driver's.
    private static string? EntryOfMove(SqliteException failure)
    {
        var words = failure.Message;
        var start = words.IndexOf('\'' + SqliteMigrations.MovedTo, StringComparison.Ordinal) + 1;
        return start > 0 && words.LastIndexOf('\'') is var end && end > start ? words[start..end] : null;
    }

    // The shared memory of the write-ahead log is a file; where that cannot grow, SQLite does not say that the disk is full.
    private static int CodeOf(SqliteException failure) => failure.SqliteExtendedErrorCode == SQLITE_IOERR_SHMSIZE ? SQLITE_FULL : failure.SqliteErrorCode;
}
