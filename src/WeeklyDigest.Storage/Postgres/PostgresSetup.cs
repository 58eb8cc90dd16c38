using Npgsql;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>What a database has to be like before the ledger's promises can hang on it.</summary>
internal static class PostgresSetup
{
    private const int OldestVersion = 13;

    /// <summary>Looks at the server's settings.</summary>
    /// <exception cref="StorageException">They would break a promise; all that is wrong is listed, with what to do.</exception>
    public static void Require(NpgsqlConnection connection, PostgresPlace place)
    {
        var problems = Problems(connection, place).ToList();
        if (problems.Count > 0) throw new StorageException($"The program cannot use {place}:\n{string.Join('\n', problems.Select(problem => "  " + problem))}");
    }

    /// <summary>Whether nothing can be changed over a connection.</summary>
    public static bool IsReadOnly(NpgsqlConnection connection) => Setting(connection, "transaction_read_only") is "on";

    /// <summary>Looks at the version of the jobs' tables.</summary>
    /// <exception cref="StorageException">They are newer than we know, or cannot be looked at.</exception>
    public static void RefuseNewerJobs(PostgresServer server, string schema, int newest)
    {
        var found = UseJobs(server, schema, () =>
        {
            using var connection = server.Source.OpenConnection();
            return VersionOf(connection, schema);
        });
        if (found is null || found <= newest) return;
        throw new StorageException(
            $"The jobs in {server.Place}, schema {schema}, were made by a newer version of this program (their version is {found}, this one knows up to {newest}). "
            + $"Use that version; or, with every server stopped, {Dropping(schema)}.");
    }

    /// <summary>Looks whether the jobs' tables are there.</summary>
    /// <exception cref="StorageException">Some are not, or they cannot be looked at.</exception>
    public static void RequireJobTables(PostgresServer server, string schema, IReadOnlyList<string> tables)
    {
        var missing = UseJobs(server, schema, () =>
        {
            using var connection = server.Source.OpenConnection();
            return tables.Where(table => !Exists(connection, schema, table)).ToList();
        });
        if (missing.Count == 0) return;
        throw new StorageException(
            $"Tables of the jobs are gone from {server.Place}: {string.Join(", ", missing.Select(table => $"{schema}.{table}"))}. With every server stopped, {Dropping(schema)}; the next start makes them anew.")
        {
            IsLasting = true,
        };
    }

    /// <summary>Does something with the jobs' tables.</summary>
    /// <exception cref="StorageException">It failed; where the tables themselves are the trouble, it says how to have others.</exception>
    public static T UseJobs<T>(PostgresServer server, string schema, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
        {
            var trouble = PostgresTrouble.Explain(failure, server.Place with { Schema = schema });
            if (!trouble.IsLasting) throw trouble;
            throw new StorageException($"{trouble.Message} So the tables of the jobs, schema {schema}, cannot be used. With every server stopped, {Dropping(schema)}; the next start makes them anew.", failure)
            {
                IsLasting = true,
            };
        }
    }

    /// <summary>What a failure means that was met with the jobs' tables while they are in use: one thing to say of all of them.</summary>
    public static string ExplainJobs(PostgresServer server, string schema, Exception failure) => failure switch
    {
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName } =>
            $"Tables of the jobs are gone from {server.Place}, schema {schema}: until they are there again nothing is begun, and what waits is not woken. Stop every server, {Dropping(schema, "IF EXISTS ")}; the next start makes them anew, and mailings go on.",
        // Tables, and what numbers their rows.
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege, Routine: "aclcheck_error" or "nextval_internal" } => PostgresRights.Refused(server.Place, schema),
        _ => PostgresTrouble.Explain(failure, server.Place with { Schema = schema }).Message,
    };

    private static string Dropping(string schema, string condition = "")
        => $"run DROP SCHEMA {condition}{schema} CASCADE there: jobs that wait and the history of jobs are lost, mailings and what was sent are not";

    private static int? VersionOf(NpgsqlConnection connection, string schema)
    {
        if (!Exists(connection, schema, "schema")) return null;
        using var version = new NpgsqlCommand($"SELECT max(version) FROM \"{schema}\".\"schema\"", connection);
        return version.ExecuteScalar() as int?;
    }

    private static bool Exists(NpgsqlConnection connection, string schema, string table)
    {
        using var command = new NpgsqlCommand($"SELECT to_regclass('\"{schema}\".\"{table}\"') IS NOT NULL", connection);
        return (bool)command.ExecuteScalar()!;
    }

    private static IEnumerable<string> Problems(NpgsqlConnection connection, PostgresPlace place)
    {
        if (connection.PostgreSqlVersion.Major < OldestVersion) yield return $"PostgreSQL {connection.PostgreSqlVersion} is too old; version {OldestVersion} or newer is needed.";
        if (Setting(connection, "server_encoding") is var encoding and not "UTF8")
            yield return $"Its encoding is {encoding}, which cannot hold every name; create it anew with ENCODING 'UTF8' TEMPLATE template0.";
        // Without these a commit that returned could be gone after a power failure: a message that was sent would be sent again.
        if (Setting(connection, "fsync") is not "on") yield return "fsync is off, so that a power failure can lose what was sent; set fsync = on in postgresql.conf.";
        if (Setting(connection, "synchronous_commit") is "off")
            yield return $"synchronous_commit is off, so that a power failure can lose what was sent; ALTER ROLE \"{place.User}\" SET synchronous_commit = on.";
        // The mark before DATA and every change of a mailing look again after taking a lock; that needs a fresh look for each statement.
        if (Setting(connection, "default_transaction_isolation") is var isolation and not "read committed")
            yield return $"default_transaction_isolation is {isolation}; ALTER ROLE \"{place.User}\" SET default_transaction_isolation = 'read committed'.";
    }

    private static string? Setting(NpgsqlConnection connection, string name)
    {
        using var command = new NpgsqlCommand("SHOW " + name, connection);
        return command.ExecuteScalar() as string;
    }
}
