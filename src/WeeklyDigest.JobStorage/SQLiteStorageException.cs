using System.Data.Common;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Hangfire.Storage.SQLite;

/// <summary>The database cannot be used: what, where, and what to do about it. Nothing of the operation was kept.</summary>
/// <param name="message">The message.</param>
/// <param name="inner">The cause, if another exception was it.</param>
public sealed class SQLiteStorageException(string message, Exception? inner = null) : DbException(message, inner)
{
    /// <summary>Whether another program holds the database, or the disk is full: later the same can be done.</summary>
    public override bool IsTransient => InnerException is SqliteException { SqliteErrorCode: SQLITE_BUSY or SQLITE_LOCKED or SQLITE_FULL };
}
