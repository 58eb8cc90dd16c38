using System.Data.Common;

namespace Hangfire.Storage.SQLite;

/// <summary>The database cannot be used: what, where, and what to do about it. Nothing of the operation was kept.</summary>
/// <param name="message">The message.</param>
/// <param name="inner">The cause, if another exception was it.</param>
public sealed class SQLiteStorageException(string message, Exception? inner = null) : DbException(message, inner);
