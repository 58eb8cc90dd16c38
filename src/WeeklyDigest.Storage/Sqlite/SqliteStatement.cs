using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>A prepared statement that is run again and again, on SQLite's own interface.</summary>
/// <remarks>
/// The ledger runs three of these for every message, an import two for every row. Through ADO.NET's commands the driver costs more than
/// the database does.
/// </remarks>
internal sealed class SqliteStatement : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly sqlite3_stmt statement;
    private readonly string[] parameters;

    /// <summary>Prepares the statement.</summary>
    public SqliteStatement(SqliteConnection connection, string sql)
    {
        this.connection = connection;
        Check(raw.sqlite3_prepare_v3(connection.Handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out statement));
        parameters = [.. Enumerable.Range(1, raw.sqlite3_bind_parameter_count(statement)).Select(i => raw.sqlite3_bind_parameter_name(statement, i).utf8_to_string())];
    }

    /// <summary>Sets a parameter for this and later runs.</summary>
    public SqliteStatement With(string name, long value) => Bind(IndexOf(name), value);

    /// <summary>Sets a parameter for this and later runs.</summary>
    public SqliteStatement With(string name, double value)
    {
        Check(raw.sqlite3_bind_double(statement, IndexOf(name), value));
        return this;
    }

    /// <summary>Sets a parameter for this and later runs.</summary>
    public SqliteStatement With(string name, long? value) => value is { } present ? With(name, present) : WithNull(name);

    /// <summary>Sets a parameter for this and later runs.</summary>
    public SqliteStatement With(string name, string? value) => Bind(IndexOf(name), value);

    /// <summary>Sets a parameter for this and later runs.</summary>
    public SqliteStatement With(string name, byte[] value)
    {
        Check(raw.sqlite3_bind_blob(statement, IndexOf(name), value));
        return this;
    }

    /// <summary>Sets a parameter by its number, from 1, for this and later runs.</summary>
    public SqliteStatement Bind(int number, long value)
    {
        Check(raw.sqlite3_bind_int64(statement, number, value));
        return this;
    }

    /// <summary>Sets a parameter by its number, from 1, for this and later runs.</summary>
    public SqliteStatement Bind(int number, string? value)
    {
        Check(value is null ? raw.sqlite3_bind_null(statement, number) : raw.sqlite3_bind_text(statement, number, value));
        return this;
    }

    /// <summary>Runs it.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Run()
    {
        using var rows = Read();
        while (rows.Next()) { }
        return raw.sqlite3_changes(connection.Handle);
    }

    /// <summary>Whether it finds a row.</summary>
    public bool Any()
    {
        using var rows = Read();
        return rows.Next();
    }

    /// <summary>Runs it.</summary>
    /// <returns>The first column of the first row as a number, or null when there is no row.</returns>
    public long? Number()
    {
        using var rows = Read();
        return rows.Next() ? rows.Number(0) : null;
    }

    /// <summary>Runs it; dispose of the rows before the statement is run again.</summary>
    public SqliteRows Read() => new(connection, statement);

    /// <inheritdoc/>
    public void Dispose() => statement.Dispose();

    private SqliteStatement WithNull(string name)
    {
        Check(raw.sqlite3_bind_null(statement, IndexOf(name)));
        return this;
    }

    private int IndexOf(string name)
        => Array.IndexOf(parameters, name) is >= 0 and var index ? index + 1 : throw new ArgumentException($"The statement has no {name}.", nameof(name));

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, connection.Handle);
}
