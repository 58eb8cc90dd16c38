using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Hangfire.Storage.SQLite.Database;

/// <summary>A prepared statement that is run again and again, on SQLite's own interface: a job costs a dozen of them, and a driver's command more than the database itself.</summary>
internal sealed class Statement : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly sqlite3_stmt statement;
    private readonly string[] parameters;

    /// <summary>Prepares the statement.</summary>
    /// <exception cref="SqliteException">It cannot be prepared.</exception>
    public Statement(SqliteConnection connection, string sql)
    {
        this.connection = connection;
        Check(raw.sqlite3_prepare_v3(connection.Handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out statement));
        parameters = [.. Enumerable.Range(1, raw.sqlite3_bind_parameter_count(statement)).Select(i => raw.sqlite3_bind_parameter_name(statement, i).utf8_to_string())];
    }

    /// <summary>Sets a parameter for this and later runs.</summary>
    public Statement With(string name, long value) => Bound(raw.sqlite3_bind_int64(statement, IndexOf(name), value));

    /// <summary>Sets a parameter for this and later runs.</summary>
    public Statement With(string name, long? value)
        => value is { } number ? With(name, number) : Bound(raw.sqlite3_bind_null(statement, IndexOf(name)));

    /// <summary>Sets a parameter for this and later runs.</summary>
    public Statement With(string name, double value) => Bound(raw.sqlite3_bind_double(statement, IndexOf(name), value));

    /// <summary>Sets a parameter for this and later runs. Any text goes, also one with zero characters.</summary>
    public Statement With(string name, string? value) => Bound(value switch
    {
        null => raw.sqlite3_bind_null(statement, IndexOf(name)),
        "" => raw.sqlite3_bind_text(statement, IndexOf(name), value),
        _ => raw.sqlite3_bind_text(statement, IndexOf(name), Encoding.UTF8.GetBytes(value).AsSpan()),
    });

    /// <summary>Runs it to its end.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Run()
    {
        using var rows = Read();
        while (rows.Next()) { }
        return raw.sqlite3_changes(connection.Handle);
    }

    /// <summary>Runs an insert.</summary>
    /// <returns>The id of the row it added, or null when it added none.</returns>
    public long? RunForId() => Run() > 0 ? raw.sqlite3_last_insert_rowid(connection.Handle) : null;

    /// <summary>Whether it finds a row.</summary>
    public bool Any()
    {
        using var rows = Read();
        return rows.Next();
    }

    /// <summary>The first column of the first row as a number, or null.</summary>
    public long? Number()
    {
        using var rows = Read();
        return rows.Next() ? rows.NumberOrNull(0) : null;
    }

    /// <summary>The first column of the first row as text, or null.</summary>
    public string? Text()
    {
        using var rows = Read();
        return rows.Next() ? rows.TextOrNull(0) : null;
    }

    /// <summary>The first column of all rows as text.</summary>
    public List<string> Texts()
    {
        using var rows = Read();
        var texts = new List<string>();
        while (rows.Next()) texts.Add(rows.Text(0));
        return texts;
    }

    /// <summary>Runs it; dispose of the rows before the statement is run again.</summary>
    public Rows Read() => new(connection, statement);

    /// <inheritdoc/>
    public void Dispose() => statement.Dispose();

    private Statement Bound(int result)
    {
        Check(result);
        return this;
    }

    private int IndexOf(string name)
        => Array.IndexOf(parameters, name) is >= 0 and var index ? index + 1 : throw new ArgumentException($"The statement has no {name}.", nameof(name));

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, connection.Handle);
}
