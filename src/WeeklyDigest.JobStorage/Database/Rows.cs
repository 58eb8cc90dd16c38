using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Hangfire.Storage.SQLite.Database;

/// <summary>The rows of a running <see cref="Statement"/>, forwards only. Columns count from 0.</summary>
internal readonly ref struct Rows(SqliteConnection connection, sqlite3_stmt statement) : IDisposable
{
    /// <summary>Goes to the next row.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="SqliteException">The database refused.</exception>
    public bool Next()
    {
        var result = raw.sqlite3_step(statement);
        if (result is not (raw.SQLITE_ROW or raw.SQLITE_DONE)) SqliteException.ThrowExceptionForRC(result, connection.Handle);
        return result == raw.SQLITE_ROW;
    }

    /// <summary>A number.</summary>
    public long Number(int column) => raw.sqlite3_column_int64(statement, column);

    /// <summary>A number, or null.</summary>
    public long? NumberOrNull(int column) => IsNull(column) ? null : Number(column);

    /// <summary>A text. Read as bytes, for a text may hold zero characters.</summary>
    public string Text(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(statement, column));

    /// <summary>A text, or null.</summary>
    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    /// <summary>A time.</summary>
    public DateTime Time(int column) => UnixTime.Read(Number(column));

    /// <summary>A time, or null.</summary>
    public DateTime? TimeOrNull(int column) => IsNull(column) ? null : Time(column);

    /// <summary>Makes the statement ready for its next run.</summary>
    public void Dispose() => _ = raw.sqlite3_reset(statement);

    private bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;
}
