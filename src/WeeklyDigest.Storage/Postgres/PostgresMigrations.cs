using DbUp;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Postgresql;
using Npgsql;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Brings a database to this program's schema: the embedded scripts of Postgres/Migrations, each applied once, in order.</summary>
internal static class PostgresMigrations
{
    private const string Journal = "schema_version";

    /// <summary>Applies what is missing.</summary>
    /// <param name="server">The server.</param>
    /// <param name="jobs">The tables of the jobs: where they are there and the ledger is not, it was lost. Null: one may be begun beside them.</param>
    /// <exception cref="StorageException">The database cannot be used as it is set up, has lost its ledger, holds another program's schema of our name or a newer one, or a script fails; nothing was changed.</exception>
    public static void Apply(PostgresServer server, JobTables? jobs = null)
    {
        try
        {
            using var connection = server.Source.OpenConnection();
            if (!IsCurrent(connection, server.Place)) Upgrade(connection, server, jobs);
        }
        catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
        {
            throw server.Explain(failure);
        }
    }

    /// <summary>Looks at what was applied, and what this version would apply; changes nothing.</summary>
    /// <exception cref="StorageException">Another program's schema of our name, or a newer one.</exception>
    public static (IReadOnlyList<string> Applied, IReadOnlyList<string> Missing) Look(NpgsqlConnection connection, PostgresPlace place)
    {
        var applied = Applied(connection, place);
        var known = Embedded.Migrations("Postgres").Select(script => script.Name).ToList();
        var unknown = applied.Except(known).ToList();
        return unknown.Count == 0
            ? (applied, [.. known.Except(applied)])
            : throw new StorageException(
                $"The schema {PostgresServer.Schema} in {place} was made by a newer version of this program (it has {string.Join(", ", unknown)}). Use that version, or restore an older backup.");
    }

    // A current database is not written to. The journal is looked at first: a user who may not create anything can use a database that is up to date.
    private static bool IsCurrent(NpgsqlConnection connection, PostgresPlace place) => Look(connection, place).Missing.Count == 0;

    private static List<string> Applied(NpgsqlConnection connection, PostgresPlace place)
    {
        if (Scalar<bool>(connection, $"SELECT to_regclass('{PostgresServer.Schema}.{Journal}') IS NULL"))
        {
            var strangers = Scalar<long>(connection, $"SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '{PostgresServer.Schema}'");
            return strangers == 0 ? [] : throw new StorageException($"The schema {PostgresServer.Schema} in {place} belongs to another program, or has lost the table {Journal}. Use a database of its own; for lost tables, stop every server and put a backup back.");
        }
        using var command = new NpgsqlCommand($"SELECT scriptname FROM {PostgresServer.Schema}.{Journal}", connection);
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    // Of two nodes that start at once, one waits for the other and then finds nothing to do. The scripts run in one transaction
    // of another connection: one that fails, or a process that dies, leaves the database as it was.
    private static void Upgrade(NpgsqlConnection connection, PostgresServer server, JobTables? jobs) => server.Alone(() =>
    {
        var (applied, missing) = Look(connection, server.Place);
        if (applied.Count == 0 && jobs is not null && PostgresJobTables.LostLedger(connection, server.Place, jobs) is { } lost) throw new StorageException(lost) { IsLasting = true };
        if (missing.Count > 0) Run(connection, server);
        return true;
    });

    private static void Run(NpgsqlConnection connection, PostgresServer server)
    {
        // Asked before, because even IF NOT EXISTS needs the right to create; an administrator may have made the schema for us.
        if (Scalar<bool>(connection, $"SELECT to_regnamespace('{PostgresServer.Schema}') IS NULL"))
            PostgresServer.Execute(connection, $"CREATE SCHEMA {PostgresServer.Schema}");
        var result = DeployChanges.To.PostgresqlDatabase(new PostgresqlConnectionManager(server.Source))
            .WithScripts(Embedded.Migrations("Postgres").Select(script => new SqlScript(script.Name, script.Text)))
            .JournalToPostgresqlTable(PostgresServer.Schema, Journal)
            .WithTransaction()
            .WithVariablesDisabled()
            .LogTo(new NoOpUpgradeLog())
            .Build()
            .PerformUpgrade();
        if (result.Successful) return;
        if (PostgresTrouble.IsTrouble(result.Error)) throw server.Explain(result.Error);
        throw new StorageException($"{server.Place.Capitalized} could not be brought to this version ({result.ErrorScript?.Name}): {result.Error.Message}", result.Error);
    }

    private static T Scalar<T>(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        return (T)command.ExecuteScalar()!;
    }
}
