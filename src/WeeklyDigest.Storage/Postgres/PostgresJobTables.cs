using Npgsql;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>The tables of the jobs. Their library looks at their version alone, and makes what that lacks: the rest is looked at here.</summary>
internal static class PostgresJobTables
{
    private const string Journal = "schema";
    private const string Number = "id";

    private const string Unnumbered = $"""
        SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = @schema AND c.relname = ANY (@tables) AND a.attname = '{Number}' AND a.atttypid IN ('int4'::regtype, 'int8'::regtype) AND NOT a.atthasdef AND a.attidentity = ''
        ORDER BY 1
        """;

    // By the catalog alone, which whoever is kept out of a schema may read too. Tables of the library have lost its journal when all the others are there.
    private const string IsForeign = $"""
        SELECT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = to_regnamespace(@schema) AND c.relkind <> 'i')
          AND NOT EXISTS (
            SELECT FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = to_regnamespace(@schema) AND c.relname = '{Journal}' AND a.attname = 'version' AND a.atttypid = 'int4'::regtype)
          AND (SELECT count(*) FROM pg_class c WHERE c.relnamespace = to_regnamespace(@schema) AND c.relname = ANY (@tables)) < cardinality(@tables)
        """;

    /// <summary>What is said of a ledger that has no tables where these are there, which only a server makes, behind the ledger's; null when they are not.</summary>
    public static string? LostLedger(NpgsqlConnection connection, PostgresPlace place, JobTables tables)
    {
        using var command = Ask("SELECT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = to_regnamespace(@schema) AND c.relname = ANY (@tables))", connection, tables);
        return Foreign(connection, place, tables) is null && (bool)command.ExecuteScalar()!
            ? $"The tables of the ledger, schema {PostgresServer.Schema}, are gone from {place}, where a server has run: the tables of its jobs, schema {tables.Schema}, are there. "
                + $"Put a backup back; or, if the ledger is in another database, set {place.Setting} to that. "
                + $"To begin anew, without knowing who has unsubscribed and what was sent, stop every weeklydigest and run DROP SCHEMA {tables.Schema} CASCADE there."
            : null;
    }

    /// <summary>What is said of a schema of their name that is not theirs; null when it is, or is empty, or not there.</summary>
    public static string? Foreign(NpgsqlConnection connection, PostgresPlace place, JobTables tables)
    {
        using var command = Ask(IsForeign, connection, tables);
        return (bool)command.ExecuteScalar()!
            ? $"The schema {tables.Schema} in {place} belongs to another program, or has lost the table {Journal}. Use a database of its own; or, where nobody else has anything in it, with every server stopped, {Dropping(tables.Schema)}; the next start makes them anew."
            : null;
    }

    /// <summary>What is wrong with them, with what to do; null when they can be used, or the next start makes them or brings them up to date.</summary>
    public static string? Wrong(NpgsqlConnection connection, PostgresPlace place, JobTables tables)
    {
        var (schema, newest) = (tables.Schema, tables.NewestVersion);
        var missing = tables.Names.Where(table => !Exists(connection, schema, table)).ToList();
        if (!Exists(connection, schema, Journal)) return missing.Count == tables.Names.Count ? null : Lost("Tables of the jobs are", place, schema, [Journal, .. missing]);
        if (VersionOf(connection, schema) is not { } found)
            return $"The table {schema}.{Journal} in {place} is empty, so that nothing tells which version the tables of the jobs are of. {MakeAnew(schema)}";
        if (found > newest)
        {
            return $"The jobs in {place}, schema {schema}, were made by a newer version of this program (their version is {found}, this one knows up to {newest}). "
                + $"Use that version; or, with every server stopped, {Dropping(schema)}.";
        }
        if (found < newest) return null;
        if (missing.Count > 0) return Lost("Tables of the jobs are", place, schema, missing);
        return WithoutNumbers(connection, tables) is { Count: > 0 } columns ? Lost("Sequences that number what is new in the tables of the jobs are", place, schema, columns) : null;
    }

    /// <summary>Looks at them.</summary>
    /// <exception cref="StorageException">They are not whole, or newer than we know, or cannot be looked at.</exception>
    public static void Require(PostgresServer server, JobTables tables)
    {
        var wrong = UseJobs(server, tables.Schema, () =>
        {
            using var connection = server.Source.OpenConnection();
            // The library says of what it may not make only that it is refused.
            return Foreign(connection, server.Place, tables) ?? PostgresRights.LackingToMake(connection, server.Place, tables.Schema) ?? Wrong(connection, server.Place, tables);
        });
        if (wrong is not null) throw new StorageException(wrong) { IsLasting = true };
    }

    /// <summary>Refuses to move to a server on which no start could have them, as a look at it tells.</summary>
    /// <exception cref="StorageException">They are another's, closed, not whole, or newer than we know; or the server does not answer.</exception>
    public static void RequireUsable(PostgresServer server, JobTables tables)
    {
        try
        {
            using var connection = server.Source.OpenConnection();
            var trouble = Foreign(connection, server.Place, tables) ?? PostgresRights.Lacking(connection, server.Place, tables.Schema) ?? Wrong(connection, server.Place, tables);
            if (trouble is not null) throw new StorageException($"{trouble} Nothing was moved.");
        }
        catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
        {
            throw server.Explain(failure, tables.Schema);
        }
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
            var trouble = server.Explain(failure, schema);
            if (!trouble.IsLasting) throw trouble;
            throw new StorageException($"{trouble.Message} So the tables of the jobs, schema {schema}, cannot be used. {MakeAnew(schema)}", failure)
            {
                IsLasting = true,
            };
        }
    }

    /// <summary>What a failure means that was met with the jobs' tables while they are in use: one thing to say of all of them.</summary>
    public static string ExplainJobs(PostgresServer server, JobTables tables, Exception failure) => failure switch
    {
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName } => Gone("Tables of the jobs are", server.Place, tables.Schema, IsMadeByAStart(server, tables)),
        PostgresException { SqlState: PostgresErrorCodes.NotNullViolation, ColumnName: Number } => Gone("Sequences of the jobs' tables are", server.Place, tables.Schema, false),
        // Tables, and what numbers their rows.
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege, Routine: "aclcheck_error" or "nextval_internal" } => PostgresRights.Refused(server.Place, tables.Schema),
        _ => PostgresTrouble.Explain(failure, server.Place with { Schema = tables.Schema }).Message,
    };

    /// <summary>Whether there is none of them.</summary>
    public static bool AreAbsent(NpgsqlConnection connection, JobTables tables) => !tables.Names.Append(Journal).Any(table => Exists(connection, tables.Schema, table));

    private static string Gone(string what, PostgresPlace place, string schema, bool isMadeByAStart)
        => $"{what} gone from {place}, schema {schema}: until they are there again nothing is begun, and what waits is not woken. " + (isMadeByAStart
            ? "Start one more server, or restart one: it makes them anew, and mailings go on. Jobs that waited and the history of jobs are lost, mailings and what was sent are not."
            : $"Stop every server, {Dropping(schema, "IF EXISTS ")}; the next start makes them anew, and mailings go on.");

    // None is there, or another server is making them at this moment.
    private static bool IsMadeByAStart(PostgresServer server, JobTables tables)
    {
        try
        {
            using var connection = server.Source.OpenConnection();
            return Wrong(connection, server.Place, tables) is null;
        }
        // Also told after our end: whoever asks is telling of trouble, and is to have none with us.
        catch (Exception failure) when (failure is ObjectDisposedException or StorageException || PostgresTrouble.IsTrouble(failure))
        {
            return false;
        }
    }

    private static string MakeAnew(string schema) => $"With every server stopped, {Dropping(schema)}; the next start makes them anew.";

    private static string Dropping(string schema, string condition = "")
        => $"run DROP SCHEMA {condition}{schema} CASCADE there: jobs that wait and the history of jobs are lost, mailings and what was sent are not";

    private static string Lost(string what, PostgresPlace place, string schema, IEnumerable<string> names)
        => $"{what} gone from {place}: {string.Join(", ", names.Select(name => $"{schema}.{name}"))}. {MakeAnew(schema)}";

    private static int? VersionOf(NpgsqlConnection connection, string schema)
    {
        using var version = new NpgsqlCommand($"SELECT max(version) FROM \"{schema}\".\"{Journal}\"", connection);
        return version.ExecuteScalar() as int?;
    }

    private static bool Exists(NpgsqlConnection connection, string schema, string table)
    {
        using var command = new NpgsqlCommand($"SELECT to_regclass('\"{schema}\".\"{table}\"') IS NOT NULL", connection);
        return (bool)command.ExecuteScalar()!;
    }

    private static List<string> WithoutNumbers(NpgsqlConnection connection, JobTables tables)
    {
        using var command = Ask(Unnumbered, connection, tables);
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    private static NpgsqlCommand Ask(string question, NpgsqlConnection connection, JobTables tables)
    {
        var command = new NpgsqlCommand(question, connection);
        command.Parameters.AddWithValue("schema", tables.Schema);
        command.Parameters.AddWithValue("tables", tables.Names.ToArray());
        return command;
    }
}
