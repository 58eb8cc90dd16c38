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

    // What was applied to a schema is only read, as long as nothing is missing. The rights to a schema count for all its tables.
    private const string Closed = """
        SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = @schema AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('schema_version', 'schema') AND NOT (
          has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
          AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
        ORDER BY c.relname
        """;

    /// <summary>What the user lacks for a schema of tables, in a sentence with what to do; null when nothing.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="place">Where it leads.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="isComplete">Whether nothing is to be made in it; null: it is when there is any table in it.</param>
    public static string? Lacking(NpgsqlConnection connection, PostgresPlace place, string schema, bool? isComplete = null)
    {
        if (!Ask(connection, IsThere, schema))
        {
            return Ask(connection, MayCreate, schema) ? null : $"The user {place.User} may not make the schema {schema}, which is not there yet, in {place}. "
                + $"Let the user create there (GRANT CREATE ON DATABASE \"{place.Database}\" TO \"{place.User}\"), or make it for the user (CREATE SCHEMA {schema} AUTHORIZATION \"{place.User}\").";
        }
        if (!(isComplete ?? Ask(connection, HasTables, schema)) && !Ask(connection, MayCreateTables, schema))
            return $"The user {place.User} may not make tables in the schema {schema} of {place}, where some are missing. Let the user own it (ALTER SCHEMA {schema} OWNER TO \"{place.User}\").";
        return ClosedTables(connection, schema) is { Count: > 0 } closed
            ? $"The user {place.User} may not read and write every table of the schema {schema} in {place}: {string.Join(", ", closed.Take(MaxNamed))}{(closed.Count > MaxNamed ? " and others" : "")} stay closed. "
                + $"Let the user do so (GRANT USAGE ON SCHEMA {schema} TO \"{place.User}\"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO \"{place.User}\")."
            : null;
    }

    private static bool Ask(NpgsqlConnection connection, string sql, string schema)
    {
        using var command = Command(connection, sql, schema);
        return (bool)command.ExecuteScalar()!;
    }

    private static List<string> ClosedTables(NpgsqlConnection connection, string schema)
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
