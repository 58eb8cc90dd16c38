using Dapper;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Looks at a database on a server.</summary>
internal static class PostgresExamination
{
    /// <summary>Looks.</summary>
    /// <exception cref="StorageException">It does not answer, is not set up as it has to be, or is newer than this program.</exception>
    public static DatabaseExamination Run(string connectionString)
    {
        using var server = PostgresServer.Prepare(connectionString);
        try
        {
            using var connection = server.Source.OpenConnection();
            PostgresSetup.Require(connection, server.Place);
            var (applied, missing) = PostgresMigrations.Look(connection, server.Place);
            return new DatabaseExamination
            {
                Place = server.Place.ToString(),
                IsThere = applied.Count > 0,
                Schema = applied.Max(StringComparer.Ordinal) ?? "",
                Missing = missing,
                Time = connection.ExecuteScalar<DateTime>(Queries.Get("Now")),
                Soundness = $"{server.Place} is PostgreSQL {connection.PostgreSqlVersion}, set up as it has to be.",
            };
        }
        catch (Exception failure) when (PostgresTrouble.IsTrouble(failure))
        {
            throw PostgresTrouble.Explain(failure, server.Place);
        }
    }
}
