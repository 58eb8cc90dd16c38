using Microsoft.Data.Sqlite;
using Npgsql;
using WeeklyDigest.Storage.Postgres;

namespace WeeklyDigest.Storage.Moving;

/// <summary>One move, with the source locked.</summary>
internal sealed class MoveRun(SqliteConnection source, IProgress<MoveProgress> progress, CancellationToken cancel)
{
    // Sessions of one that has just ended may still be there for a moment.
    private const int Looks = 20;

    private const string OthersThere = """
        SELECT string_agg(DISTINCT coalesce(host(client_addr), 'the same machine'), ', ') FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = @application AND pid <> pg_backend_pid()
        """;

    private const string StateCounts = "SELECT state, count(*) FROM delivery GROUP BY state";

    private long done;
    private long total;

    /// <summary>Copies and proves, or proves what an earlier run has copied; then closes the file for good.</summary>
    public async Task<MoveReport> RunAsync(PostgresServer server)
    {
        var tables = MovableTable.All(source);
        await using var target = await server.Source.OpenConnectionAsync(cancel);
        await using var transaction = await target.BeginTransactionAsync(cancel);
        // While the file is read, nothing is done there for as long as that takes.
        await ExecuteAsync(target, "SET LOCAL idle_in_transaction_session_timeout = 0");
        // Other nodes that open the target meanwhile wait, and see all or nothing.
        await ExecuteAsync(target, $"LOCK TABLE {string.Join(", ", tables.Select(table => table.Quoted))} IN ACCESS EXCLUSIVE MODE");
        foreach (var table in tables) await table.ReadTypesAsync(target, cancel);
        var isEmpty = await IsNoInstallationAsync(target);
        if (isEmpty) await RequireNobodyAsync(server, target);
        if (isEmpty) await ExecuteAsync(target, $"TRUNCATE {string.Join(", ", tables.Select(table => table.Quoted))}");
        total = tables.Sum(table => table.Rows) * (isEmpty ? 2 : 1);
        var report = isEmpty ? await CopyAsync(server, target, tables) : await ProveAsync(server, target, tables, null);
        await CommitAsync(server, transaction, tables);
        return report;
    }

    // The file is closed first: should we die between the two, neither can be used until the same move has been run again, which finds out how far
    // this one came. Were the server first, somebody could send from both.
    private async Task CommitAsync(PostgresServer server, NpgsqlTransaction transaction, IReadOnlyList<MovableTable> tables)
    {
        var mark = new MoveMark(source, server.Place.ToString());
        mark.Set(tables);
        try
        {
            await transaction.CommitAsync(CancellationToken.None);
        }
        catch (PostgresException refusal) when (PostgresTrouble.IsRefusal(refusal))
        {
            mark.Withdraw(tables);
            throw;
        }
        catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
        {
            throw new StorageException($"{PostgresTrouble.Explain(failure, server.Place).Message} Whether it has everything is not known. Run the same command again: it finds out, and finishes; until then nothing is sent from the file.", failure);
        }
        mark.Keep();
    }

    private async Task<MoveReport> CopyAsync(PostgresServer server, NpgsqlConnection target, IReadOnlyList<MovableTable> tables)
    {
        var sums = new Dictionary<string, string>();
        foreach (var table in tables)
        {
            sums[table.Name] = await new TableCopy(table, source, target, count => Tell(table, isCheck: false, count), cancel).RunAsync();
            await table.ContinueIdsAsync(source, target, cancel);
        }
        return await ProveAsync(server, target, tables, sums);
    }

    /// <summary>Reads the target and compares.</summary>
    /// <param name="server">For messages.</param>
    /// <param name="target">The target.</param>
    /// <param name="tables">All tables.</param>
    /// <param name="sums">What was written; null: what an earlier move may have written is compared with the source itself.</param>
    private async Task<MoveReport> ProveAsync(PostgresServer server, NpgsqlConnection target, IReadOnlyList<MovableTable> tables, Dictionary<string, string>? sums)
    {
        var moved = new List<MovedTable>();
        foreach (var table in tables)
        {
            var (rows, sum) = await TableSum.OfAsync(target, table, count => Tell(table, isCheck: true, count), cancel);
            if (rows != table.Rows || sum != (sums?[table.Name] ?? TableSum.Of(source, table, cancel))) throw Differs(server, table, rows, isCopy: sums is not null);
            moved.Add(new MovedTable(table.Name, rows, sum));
        }
        var states = await StatesAsync(target);
        return states.SequenceEqual(States())
            ? new MoveReport(moved, states.ToDictionary(), WasMovedBefore: sums is null)
            : throw new StorageException("The deliveries by state differ on both sides; nothing was moved.");
    }

    private static StorageException Differs(PostgresServer server, MovableTable table, long rows, bool isCopy) => new(isCopy
        ? $"What was written to the table {table.Name} in {server.Place} is not what was read ({table.Rows} rows, {rows} read back); nothing was moved."
        : $"There is another installation in {server.Place} (the table {table.Name} has {rows} rows, here are {table.Rows}). Give an empty database; or, if nothing in that one is wanted, run DROP SCHEMA weeklydigest CASCADE there. Nothing was moved.");

    // It keeps the key for links that it made there, and goes on with it when the one of the file has taken its place. Who comes later waits for our end.
    private async Task RequireNobodyAsync(PostgresServer server, NpgsqlConnection target)
    {
        for (var look = 1; ; look++)
        {
            await ExecuteAsync(target, "SELECT pg_stat_clear_snapshot()");
            await using var command = new NpgsqlCommand(OthersThere, target);
            command.Parameters.AddWithValue("application", server.Application);
            if (await command.ExecuteScalarAsync(cancel) is not string others) return;
            if (look == Looks) throw new StorageException($"A weeklydigest works with {server.Place} (from {others}). Its links would lead nowhere afterwards. Stop it, then move; nothing was moved.");
            await ExecuteAsync(target, "SELECT pg_sleep(0.1)");
        }
    }

    // Whoever only looks at an empty database, with status or doctor, leaves keys and the schedule of the settings there.
    private async Task<bool> IsNoInstallationAsync(NpgsqlConnection target)
    {
        await using var command = new NpgsqlCommand("SELECT NOT EXISTS (SELECT 1 FROM list) AND NOT EXISTS (SELECT 1 FROM subscriber) AND NOT EXISTS (SELECT 1 FROM suppression) AND NOT EXISTS (SELECT 1 FROM mailing)", target);
        return (bool)(await command.ExecuteScalarAsync(cancel))!;
    }

    private SortedDictionary<string, long> States()
    {
        using var command = source.CreateCommand();
        command.CommandText = StateCounts;
        using var rows = command.ExecuteReader();
        var states = new SortedDictionary<string, long>(StringComparer.Ordinal);
        while (rows.Read()) states.Add(rows.GetString(0), rows.GetInt64(1));
        return states;
    }

    private async Task<SortedDictionary<string, long>> StatesAsync(NpgsqlConnection target)
    {
        await using var command = new NpgsqlCommand(StateCounts, target) { CommandTimeout = 0 };
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var states = new SortedDictionary<string, long>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel)) states.Add(rows.GetString(0), rows.GetInt64(1));
        return states;
    }

    private void Tell(MovableTable table, bool isCheck, long count) => progress.Report(new MoveProgress(table.Name, isCheck, done += count, total));

    private async Task ExecuteAsync(NpgsqlConnection target, string sql)
    {
        await using var command = new NpgsqlCommand(sql, target);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
