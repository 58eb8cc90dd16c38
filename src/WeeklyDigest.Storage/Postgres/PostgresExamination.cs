using Dapper;
using Npgsql;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Looks at a database on a server.</summary>
internal static class PostgresExamination
{
    // As SchemaObjects names it.
    private const string Present = """
        SELECT CASE c.relkind WHEN 'i' THEN 'index ' WHEN 'v' THEN 'view ' ELSE 'table ' END || c.relname
        FROM pg_class c WHERE c.relnamespace = to_regnamespace(@schema)
        UNION ALL SELECT 'function ' || p.proname FROM pg_proc p WHERE p.pronamespace = to_regnamespace(@schema)
        UNION ALL SELECT 'column ' || c.relname || '.' || a.attname
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = to_regnamespace(@schema) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        """;

    /// <summary>Looks.</summary>
    /// <param name="connectionString">The connection string.</param>
    /// <param name="jobs">The tables of the jobs, which are another library's.</param>
    /// <exception cref="StorageException">It does not answer, is not set up as it has to be, or is newer than this program.</exception>
    public static DatabaseExamination Run(string connectionString, JobTables jobs)
    {
        using var server = PostgresServer.Prepare(connectionString);
        try
        {
            using var connection = server.Source.OpenConnection();
            var foreignJobs = PostgresJobTables.Foreign(connection, server.Place, jobs);
            var lackingJobs = foreignJobs is not null ? null : PostgresRights.Lacking(connection, server.Place, jobs.Schema);
            var (applied, missing) = PostgresMigrations.Look(connection, server.Place);
            string[] denied = [.. Denied(connection, server.Place, missing.Count == 0), .. lackingJobs is null ? Array.Empty<string>() : [lackingJobs]];
            var lost = Lost(connection, applied);
            var canCount = missing.Count == 0 && lost.Count == 0 && denied.Length == 0;
            return new DatabaseExamination
            {
                Place = server.Place.ToString(),
                IsThere = applied.Count > 0,
                Schema = applied.Max(StringComparer.Ordinal) ?? "",
                Missing = missing,
                Lost = lost,
                Denied = denied,
                // Who is kept out cannot look.
                Jobs = foreignJobs ?? (lackingJobs is null ? PostgresJobTables.Wrong(connection, server.Place, jobs) : null),
                JobsAreGone = foreignJobs is null && denied.Length == 0 && PostgresJobTables.AreAbsent(connection, jobs) && HasServed(connection),
                LostLedger = applied.Count == 0 ? PostgresJobTables.LostLedger(connection, server.Place, jobs) : null,
                Time = connection.ExecuteScalar<DateTime>(Queries.Get("Now")),
                Soundness = $"{server.Place} is PostgreSQL {connection.PostgreSqlVersion}, set up as it has to be.",
                Lists = applied.Count == 0 ? [] : canCount ? [.. connection.Query<ListRow>(Queries.Get("Lists")).Select(row => row.ToSummary())] : null,
                FromFiles = canCount ? [.. connection.Query<string>(Queries.Get("FileLists")).Select(Codes.List)] : [],
                Secrets = canCount ? [.. connection.Query<string>(Queries.Get("SecretNames"))] : [],
            };
        }
        catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
        {
            throw server.Explain(failure);
        }
    }

    /// <summary>Refuses a database that has lost what its migrations made.</summary>
    /// <exception cref="StorageException">It has, or does not answer.</exception>
    public static void RequireWhole(PostgresServer server)
    {
        try
        {
            using var connection = server.Source.OpenConnection();
            SchemaObjects.Require(server.Place.Capitalized, Lost(connection, PostgresMigrations.Look(connection, server.Place).Applied));
        }
        catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
        {
            throw server.Explain(failure);
        }
    }

    private static IReadOnlyList<string> Lost(NpgsqlConnection connection, IReadOnlyList<string> applied)
        => SchemaObjects.Lost(SchemaObjects.Made("Postgres", applied), [.. connection.Query<string>(Present, new { schema = PostgresServer.Schema })]);

    // A server has the keys of its sessions there before it serves. Commands make none, and a move brings none along, as it does the schedule.
    private static bool HasServed(NpgsqlConnection connection)
        => connection.ExecuteScalar<bool>($"SELECT to_regclass('{PostgresServer.Schema}.secret') IS NOT NULL")
            && connection.ExecuteScalar<bool>($"SELECT EXISTS (SELECT FROM {PostgresServer.Schema}.secret WHERE name LIKE 'session-key/%')");

    private static IEnumerable<string> Denied(NpgsqlConnection connection, PostgresPlace place, bool isComplete)
    {
        if (PostgresSetup.IsReadOnly(connection)) yield return PostgresTrouble.CanOnlyBeRead(place);
        if (PostgresRights.Lacking(connection, place, PostgresServer.Schema, isComplete) is { } lacking) yield return lacking;
    }
}
