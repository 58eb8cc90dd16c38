using WeeklyDigest.Storage.Postgres;

namespace WeeklyDigest.Storage;

/// <summary>Where the ledger lives. Bound from the settings section <c>Storage</c>.</summary>
public sealed record StorageOptions
{
    /// <summary>sqlite (default) or postgres.</summary>
    public string Provider { get; init; } = "sqlite";

    /// <summary>For sqlite a file path, or a connection string with Data Source. Default data/weeklydigest.db. For postgres a connection string with Host and Database.</summary>
    public string ConnectionString { get; init; } = "data/weeklydigest.db";

    /// <summary>What is wrong with a connection string for PostgreSQL, as far as that shows without connecting; null when nothing is. Names no secret.</summary>
    public static string? ProblemOfServer(string connectionString) => PostgresConnectionString.ProblemOf(connectionString);

    /// <summary>A connection string for PostgreSQL for another library, with which what it commits outlives a crash as the ledger does.</summary>
    /// <param name="connectionString">One without problems.</param>
    public static string KeepingCommits(string connectionString) => PostgresConnectionString.KeepingCommits(connectionString);
}
