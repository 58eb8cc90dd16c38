using Npgsql;
using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Storage;

/// <summary>A database of its own on the shared PostgreSQL.</summary>
public sealed class PostgresPlace : IDatabasePlace
{
    public StorageOptions Options { get; } = SharedPostgres.Options(SharedPostgres.NewDatabase());

    private string Name => new NpgsqlConnectionStringBuilder(Options.ConnectionString).Database!;

    public void Execute(string sql) => SharedPostgres.Server.Execute("SET search_path = weeklydigest; " + sql, Name);

    /// <summary>Begins a transaction as another program would; it ends when it is disposed of.</summary>
    /// <param name="sql">What it has done by then.</param>
    /// <param name="commit">Whether it is kept.</param>
    internal async Task<OtherTransaction> BeginAsync(string sql, bool commit = false)
    {
        var other = new OtherTransaction(Options.ConnectionString + ";Pooling=false;Search Path=weeklydigest", commit);
        await other.ExecuteAsync("BEGIN; " + sql);
        return other;
    }

    /// <summary>Waits until somebody in this database waits for a lock.</summary>
    internal Task SomebodyWaitsAsync(int atLeast = 1) => Eventually.HoldsAsync(
        () => SharedPostgres.Server.Scalar<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'", Name) >= atLeast, "somebody waits for a lock");

    /// <summary>What lets changes of deliveries wait that <see cref="HaltChanges"/> was called before, until the transaction that does this has ended.</summary>
    internal const string Halt = "SELECT pg_advisory_xact_lock(7)";

    /// <summary>Has each change of deliveries wait for <see cref="Halt"/>: behind its own look at the database, and before that of the statement after it.</summary>
    internal void HaltChanges() => Execute(
        "CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END'; "
        + "CREATE TRIGGER halt BEFORE UPDATE ON delivery EXECUTE FUNCTION halt()");

    public void Dispose() => SharedPostgres.Server.Drop(Options.ConnectionString);
}

/// <summary>An open transaction of somebody else.</summary>
internal sealed class OtherTransaction(string connectionString, bool commit) : IAsyncDisposable
{
    private readonly NpgsqlConnection connection = new(connectionString);

    /// <summary>Goes on in it.</summary>
    public async Task ExecuteAsync(string sql)
    {
        if (connection.State == System.Data.ConnectionState.Closed) await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Asks something in it.</summary>
    /// <returns>The first column of each row.</returns>
    public async Task<IReadOnlyList<string>> LinesAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync()) lines.Add(rows.GetString(0));
        return lines;
    }

    public async ValueTask DisposeAsync()
    {
        await ExecuteAsync(commit ? "COMMIT" : "ROLLBACK");
        await connection.DisposeAsync();
    }
}
