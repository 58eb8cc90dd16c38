using Dapper;
using Npgsql;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Looks at a database on a server.</summary>
internal static class PostgresExamination
{
    private const string Present = """
        SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = @schema
        UNION ALL SELECT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = @schema
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
            PostgresSetup.Require(connection, server.Place);
            var lackingJobs = PostgresRights.Lacking(connection, server.Place, jobs.Schema);
            var (applied, missing) = PostgresMigrations.Look(connection, server.Place);
            return new DatabaseExamination
            {
                Place = server.Place.ToString(),
                IsThere = applied.Count > 0,
                Schema = applied.Max(StringComparer.Ordinal) ?? "",
                Missing = missing,
                Lost = SchemaObjects.Lost("Postgres", applied, [.. connection.Query<string>(Present, new { schema = PostgresServer.Schema })]),
                Denied = [.. Denied(connection, server.Place, missing.Count == 0), .. lackingJobs is null ? Array.Empty<string>() : [lackingJobs]],
                // Who is kept out cannot look.
                Jobs = lackingJobs is null ? PostgresJobTables.Wrong(connection, server.Place, jobs) : null,
                Time = connection.ExecuteScalar<DateTime>(Queries.Get("Now")),
                Soundness = $"{server.Place} is PostgreSQL {connection.PostgreSqlVersion}, set up as it has to be.",
            };
        }
        catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
        {
            throw PostgresTrouble.Explain(failure, server.Place);
        }
    }

    private static IEnumerable<string> Denied(NpgsqlConnection connection, PostgresPlace place, bool isComplete)
    {
        if (PostgresSetup.IsReadOnly(connection)) yield return PostgresTrouble.CanOnlyBeRead(place);
        if (PostgresRights.Lacking(connection, place, PostgresServer.Schema, isComplete) is { } lacking) yield return lacking;
    }
}
