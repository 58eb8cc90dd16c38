using Dapper;
using Microsoft.Data.Sqlite;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>The one connection of this process that writes; transactions take turns, here and between processes.</summary>
internal sealed class SqliteWriter(SqliteFile file) : IDisposable
{
    private const string Values = "VALUES ";

    /// <summary>After so many milliseconds of waiting for another program it is looked whether anybody still waits for us.</summary>
    private const int BusyLook = 500;

    private readonly SqliteConnection connection = file.OpenWriter();
    private readonly Dictionary<string, SqliteStatement> statements = [];
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly SqlitePresence presence = new(file.Path, file.Open());
    private volatile bool isWaiting;
    private bool isRescued;

    /// <summary>Whether it waits for another program's transaction to end, see <see cref="SqliteFile.BusySeconds"/>.</summary>
    public bool IsWaiting => isWaiting;

    /// <summary>Whether the file is still in its place.</summary>
    public SqlitePresence Presence => presence;

    /// <summary>Does the work in one transaction, off the caller's thread. When this returns, the change is on the disk.</summary>
    /// <remarks>
    /// Immediate: a deferred transaction that reads and then writes fails at once when another process wrote in between, whatever the
    /// time-out. If we die before the commit returns, the database holds nothing of the work, or all of it.
    /// </remarks>
    /// <exception cref="StorageException">The database refused; nothing was changed.</exception>
    public Task<T> TransactAsync<T>(Func<SqliteWriter, T> work, CancellationToken cancel) => InTurnAsync(() => Transact(work, cancel), cancel);

    /// <summary>The same for very many rows that are right by how they are made, see <see cref="SqliteFile.Trusting"/>.</summary>
    /// <exception cref="StorageException">The database refused; nothing was changed.</exception>
    public Task<T> TransactManyAsync<T>(Func<SqliteWriter, T> work, CancellationToken cancel)
        => InTurnAsync(() => SqliteFile.Trusting(connection, () => Transact(work, cancel)), cancel);

    /// <summary>The same for an import, which enters addresses into their index in no order: as much of it as can be stays in memory meanwhile.</summary>
    /// <exception cref="StorageException">The database refused; nothing was changed.</exception>
    public Task<T> TransactLargeAsync<T>(Func<SqliteWriter, T> work, CancellationToken cancel)
        => InTurnAsync(() => SqliteFile.Trusting(connection, () => TransactLarge(work, cancel)), cancel);

    /// <summary>A named statement of this connection, prepared on first use. Only inside a transaction.</summary>
    public SqliteStatement Statement(string name) => Prepared(name, Queries.Get);

    /// <summary>A named insert of one row as an insert of so many: the line of its values is repeated. Only inside a transaction.</summary>
    public SqliteStatement Statement(string name, int rows) => Prepared($"{name}, {rows} rows", _ => Repeated(Queries.Get(name), rows));

    /// <summary>The key of the row that was inserted last. Only inside a transaction.</summary>
    public long LastId => SQLitePCL.raw.sqlite3_last_insert_rowid(connection.Handle);

    /// <summary>The rows of a named query, mapped. Only inside a transaction.</summary>
    public IEnumerable<T> Query<T>(string name, object parameters) => connection.Query<T>(Queries.Get(name), parameters);

    /// <summary>Refuses to go on when the file or its log is not in its place any more.</summary>
    /// <exception cref="StorageException">It is not; says what to do.</exception>
    public void RequirePresence()
    {
        if (presence.Trouble() is not { } gone) return;
        RescueIfIdle();
        throw gone;
    }

    /// <summary>Closes the connection; not when a transaction hangs behind another program's lock: closing would hang with it, and the system closes at the end of the process.</summary>
    public void Dispose()
    {
        if (!turn.Wait(TimeSpan.FromSeconds(1))) return;
        foreach (var statement in statements.Values) statement.Dispose();
        presence.Close(connection);
        presence.Dispose();
        turn.Dispose();
    }

    private async Task<T> InTurnAsync<T>(Func<T> work, CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            return await OwnThread.BlockAsync(work);
        }
        finally
        {
            turn.Release();
        }
    }

    // A transaction that is under way does so itself.
    private void RescueIfIdle()
    {
        if (!presence.IsLogLost || !turn.Wait(TimeSpan.Zero)) return;
        try
        {
            Rescue();
        }
        finally
        {
            turn.Release();
        }
    }

    private T TransactLarge<T>(Func<SqliteWriter, T> work, CancellationToken cancel)
    {
        SqliteFile.KeepPages(connection, isLarge: true);
        try
        {
            return Transact(work, cancel);
        }
        finally
        {
            SqliteFile.KeepPages(connection, isLarge: false);
        }
    }

    private T Transact<T>(Func<SqliteWriter, T> work, CancellationToken cancel)
    {
        var committed = false;
        try
        {
            if (presence.IsSideLost) throw presence.Trouble()!;
            Begin(cancel);
            var result = work(this);
            // As late as can be: a mark that only we can see is no mark.
            if (presence.Trouble(isInTransaction: true) is { } gone) throw gone;
            Prepared("COMMIT", static sql => sql).Run();
            committed = true;
            return result;
        }
        catch (SqliteException failure)
        {
            throw presence.Trouble() ?? SqliteTrouble.Explain(failure, file.Path);
        }
        finally
        {
            if (!committed) RollBack();
            if (presence.IsLogLost) Rescue();
        }
    }

    // What is in a log that has no name ends with this process: it is carried into the file, as long as no other log tells others what to look for in theirs.
    private void Rescue()
    {
        if (isRescued || !presence.IsLogMissing) return;
        isRescued = SQLitePCL.raw.sqlite3_wal_checkpoint_v2(connection.Handle, "main", SQLitePCL.raw.SQLITE_CHECKPOINT_PASSIVE, out var written, out var carried) == SQLitePCL.raw.SQLITE_OK
            && written == carried;
        // Closing would do it again, when others may have written since.
        if (isRescued) SqlitePresence.LeaveLog(connection);
    }

    // SQLite itself would wait for the whole time, whoever is asked to end meanwhile.
    private void Begin(CancellationToken cancel)
    {
        var looks = SqliteFile.BusySeconds * 1000 / BusyLook;
        SQLitePCL.raw.sqlite3_busy_timeout(connection.Handle, BusyLook);
        isWaiting = true;
        try
        {
            while (!TryBegin(isLast: --looks == 0)) cancel.ThrowIfCancellationRequested();
        }
        finally
        {
            isWaiting = false;
        }
    }

    private bool TryBegin(bool isLast)
    {
        try
        {
            Prepared("BEGIN IMMEDIATE", static sql => sql).Run();
            return true;
        }
        catch (SqliteException busy) when (busy.SqliteErrorCode == SQLitePCL.raw.SQLITE_BUSY && !isLast)
        {
            return false;
        }
    }

    private static string Repeated(string insert, int rows)
        => string.Join('\n', insert.Split('\n').Select(line => line.StartsWith(Values, StringComparison.Ordinal) ? Values + string.Join(", ", Enumerable.Repeat(line[Values.Length..], rows)) : line));

    private SqliteStatement Prepared(string name, Func<string, string> sql)
    {
        if (!statements.TryGetValue(name, out var statement))
            statements[name] = statement = new SqliteStatement(connection, sql(name));
        return statement;
    }

    // Some failures (a full disk) have rolled back already.
    private void RollBack()
    {
        if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0) SqliteFile.Execute(connection, "ROLLBACK");
    }
}
