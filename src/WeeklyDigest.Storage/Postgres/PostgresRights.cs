using Npgsql;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Finds out what a user may not do in a database that a start or a send would do, without doing it.</summary>
internal static class PostgresRights
{
    private const int MaxNamed = 3;

    private const string MayCreate = "SELECT has_database_privilege(current_database(), 'CREATE')";
    private const string MayCreateTables = "SELECT has_schema_privilege(@schema, 'CREATE')";
    private const string IsThere = "SELECT to_regnamespace(@schema) IS NOT NULL";
    private const string HasTables = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = @schema AND c.relkind = 'r')";

    // What was applied to a schema is only read, as long as nothing is missing; so is what numbers those rows. The rights to a schema count for all that is in it.
    // What numbers the rows of a column as its identity asks for no right of its own.
    private const string Closed = """
        SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = @schema AND CASE
          WHEN c.relname IN ('schema_version', 'schema') THEN NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
          WHEN c.relkind IN ('r', 'p') THEN NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
            AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
          WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, 'USAGE, UPDATE') AND NOT EXISTS (
            SELECT FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid
            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.objid = c.oid AND (d.deptype = 'i' OR t.relname IN ('schema_version', 'schema')))
          ELSE false END
        ORDER BY c.relname
        """;

    /// <summary>What the user lacks for a schema of tables, in a sentence with what to do; null when nothing.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="place">Where it leads.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="isComplete">Whether nothing is to be made in it; null: it is when there is any table in it.</param>
    public static string? Lacking(NpgsqlConnection connection, PostgresPlace place, string schema, bool? isComplete = null)
    {
        if (LackingToMake(connection, place, schema, isComplete) is { } lacking) return lacking;
        return AllClosed(connection, schema) is { Count: > 0 } closed
            ? $"{MayNotUse(place, schema)}: {string.Join(", ", closed.Take(MaxNamed))}{(closed.Count > MaxNamed ? " and others" : "")} {(closed.Count > 1 ? "stay" : "stays")} closed. {Remedy(place, schema)}"
            : null;
    }

    /// <summary>The same of what is still to be made: the schema, or tables in it.</summary>
    public static string? LackingToMake(NpgsqlConnection connection, PostgresPlace place, string schema, bool? isComplete = null)
    {
        if (!Ask(connection, IsThere, schema))
        {
            return Ask(connection, MayCreate, schema) ? null : $"The user {place.User} may not make the schema {schema}, which is not there yet, in {place}. "
                + $"Let the user create there (GRANT CREATE ON DATABASE \"{place.Database}\" TO \"{place.User}\"), or make it for the user (CREATE SCHEMA {schema} AUTHORIZATION \"{place.User}\").";
        }
        if (!(isComplete ?? Ask(connection, HasTables, schema)) && !Ask(connection, MayCreateTables, schema))
            return $"The user {place.User} may not make tables in the schema {schema} of {place}, where some are missing. Let the user own it (ALTER SCHEMA {schema} OWNER TO \"{place.User}\").";
        return null;
    }

    /// <summary>What is said when the user may not use some table or sequence of a schema, whichever it is, with what to do.</summary>
    public static string Refused(PostgresPlace place, string schema) => $"{MayNotUse(place, schema)}. {Remedy(place, schema)}";

    private static string MayNotUse(PostgresPlace place, string schema) => $"The user {place.User} may not use all that is in the schema {schema} of {place}";

    private static string Remedy(PostgresPlace place, string schema)
        => $"Let the user do so (GRANT USAGE ON SCHEMA {schema} TO \"{place.User}\"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO \"{place.User}\"; "
            + $"GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO \"{place.User}\").";

    private static bool Ask(NpgsqlConnection connection, string sql, string schema)
    {
        using var command = Command(connection, sql, schema);
        return (bool)command.ExecuteScalar()!;
    }

    private static List<string> AllClosed(NpgsqlConnection connection, string schema)
    {
        using var command = Command(connection, Closed, schema);
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, string schema)
    {
        var command = new NpgsqlCommand(sql, connection);
        if (sql.Contains("@schema", StringComparison.Ordinal)) command.Parameters.AddWithValue("schema", schema);
        return command;
    }
}
