using Hangfire.Storage.SQLite.Database;
using Hangfire.Storage.SQLite.Owners;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Hangfire.Storage.SQLite;

/// <summary>Finds out whether a storage would open its file, and leaves everything as it is: no file is made, none is brought to this version.</summary>
public static class SQLiteStorageCheck
{
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(2);

    /// <summary>Looks.</summary>
    /// <param name="databasePath">The path of the file, or a connection string with Data Source.</param>
    /// <param name="patience">How long the look at its pages may take; those that were not reached count as sound.</param>
    /// <param name="clock">The clock.</param>
    /// <returns>Whether there is a file. Where there is none, a storage makes it.</returns>
    /// <exception cref="SQLiteStorageException">It would not be opened, or is damaged: says why, and what to do.</exception>
    public static bool Run(string databasePath, TimeSpan patience, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(databasePath);
        var file = JobFile.Find(databasePath, Busy);
        if (!Path.Exists(file.Path)) return false;
        try
        {
            using var session = file.Open();
            // Known before anything is read: that would leave files beside it that can only be read either, also when this one can be written again.
            if (session.IsReadOnly) throw new SqliteException("It can only be read.", SQLITE_READONLY);
            Schema.RefuseForeign(session, file.Path);
            // Begins what would write: that the log beside the file cannot be written shows at this point.
            session.Transact(_ => false, mustSurvivePowerFailure: false);
            using var limit = new CancellationTokenSource(patience, clock);
            using var interrupt = limit.Token.Register(session.Interrupt);
            RefuseDamage(session, file.Path);
        }
        catch (SqliteException failure)
        {
            throw Trouble.Explain(failure, file.Path);
        }
        if (Path.Exists(Owner.FolderOf(file.Path))) OwnerFile.Take(Owner.FolderOf(file.Path))?.Dispose();
        return true;
    }

    private static void RefuseDamage(Session session, string path)
    {
        try
        {
            if (session.Plain("PRAGMA quick_check(1)").Text() is not "ok" and var found)
                throw new SQLiteStorageException($"The job database {path} is damaged ({found?.ReplaceLineEndings(" ")}). Stop the program and restore a backup, or move the file away to start with an empty one.");
        }
        catch (SqliteException failure) when (failure.SqliteErrorCode == SQLITE_INTERRUPT)
        {
            // Too large for the time there is.
        }
    }
}
