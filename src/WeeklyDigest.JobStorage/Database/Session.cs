using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Hangfire.Storage.SQLite.Database;

/// <summary>An open connection with its prepared statements. Used by one thread at a time.</summary>
internal sealed class Session(SqliteConnection connection) : IDisposable
{
    // SQLITE_FCNTL_HAS_MOVED.
    private const int HasMovedCode = 20;

    private readonly Dictionary<string, Statement> statements = [];
    private bool? durable;

    /// <summary>A named statement, prepared on first use.</summary>
    public Statement this[string name] => Prepared(name, Queries.Get);

    /// <summary>A statement without parameters that is not worth a name.</summary>
    public Statement Plain(string sql) => Prepared(sql, static text => text);

    /// <summary>Runs a script of several statements.</summary>
    public void Execute(string script)
    {
        using var command = connection.CreateCommand();
        command.CommandText = script;
        command.ExecuteNonQuery();
    }

    /// <summary>
    /// Runs a statement again and again while others are in its way, for half a minute at most. Whoever wants to change a file's mode at the same moment as
    /// another is told at once that it is busy, whatever the time-out: both waiting would be a deadlock. The driver's own commands ask again.
    /// </summary>
    /// <returns>The first column of the first row as text, or null.</returns>
    public string? Insist(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as string;
    }

    /// <summary>
    /// Does the work in one transaction that no other process writes beside: an immediate one, for a deferred transaction that reads and
    /// then writes fails at once when another process wrote in between, whatever the time-out.
    /// </summary>
    /// <param name="work">The work; when it says false, all of it is taken back.</param>
    /// <param name="mustSurvivePowerFailure">Whether the disk has to have it when this returns. A killed process loses nothing either way.</param>
    /// <returns>Whether it was committed.</returns>
    public bool Transact(Func<Session, bool> work, bool mustSurvivePowerFailure)
    {
        if (durable != mustSurvivePowerFailure)
        {
            Plain(mustSurvivePowerFailure ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL").Run();
            durable = mustSurvivePowerFailure;
        }
        var committed = false;
        Plain("BEGIN IMMEDIATE").Run();
        try
        {
            if (!work(this)) return false;
            Plain("COMMIT").Run();
            return committed = true;
        }
        finally
        {
            if (!committed) RollBack();
        }
    }

    /// <summary>Reads at one point in time, however many statements that takes.</summary>
    public T Look<T>(Func<Session, T> look)
    {
        Plain("BEGIN").Run();
        try
        {
            return look(this);
        }
        finally
        {
            RollBack();
        }
    }

    /// <summary>Whether this user may only read the file.</summary>
    public bool IsReadOnly => raw.sqlite3_db_readonly(connection.Handle, "main") == 1;

    /// <summary>Whether its file no longer stands at its path: it was moved, deleted or replaced. On Windows that cannot be while it is open.</summary>
    public bool HasMoved => FileControl(connection.Handle!, null, HasMovedCode, out var moved) == raw.SQLITE_OK && moved != 0;

    /// <summary>Ends what another thread runs on it now, as SQLITE_INTERRUPT.</summary>
    public void Interrupt() => raw.sqlite3_interrupt(connection.Handle);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var statement in statements.Values) statement.Dispose();
        connection.Dispose();
    }

    // Not in SQLitePCL's own interface.
    [DllImport("e_sqlite3", EntryPoint = "sqlite3_file_control")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern int FileControl(sqlite3 database, byte[]? name, int code, out int result);

    private Statement Prepared(string name, Func<string, string> sql)
    {
        if (!statements.TryGetValue(name, out var statement)) statements[name] = statement = new Statement(connection, sql(name));
        return statement;
    }

    // Some failures, such as a full disk, have rolled back already.
    private void RollBack()
    {
        if (raw.sqlite3_get_autocommit(connection.Handle) == 0) Plain("ROLLBACK").Run();
    }
}
