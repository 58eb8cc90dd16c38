using Npgsql;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Reads a connection string for PostgreSQL, and says without any secret where it leads.</summary>
internal static class PostgresConnectionString
{
    // Of one process; a server allows a hundred in all by default.
    private const int Connections = 20;
    private const int PreparedStatements = 100;

    /// <summary>The settings of a connection: what is written, and our defaults.</summary>
    /// <exception cref="StorageException">It cannot be read; the message holds no part of it.</exception>
    public static NpgsqlConnectionStringBuilder Read(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal))
            throw new StorageException("Storage:ConnectionString is a URL; write it as Host=…;Port=5432;Database=…;Username=…;Password=….");
        var settings = Parse(text);
        if (string.IsNullOrEmpty(settings.Host)) throw new StorageException("Storage:ConnectionString names no server; write Host=… in it.");
        if (string.IsNullOrEmpty(settings.Database)) throw new StorageException("Storage:ConnectionString names no database; write Database=… in it.");
        settings.SearchPath = PostgresServer.Schema;
        settings.IncludeErrorDetail = false;
        settings.PersistSecurityInfo = false;
        if (!settings.ContainsKey("Maximum Pool Size")) settings.MaxPoolSize = Connections;
        if (!settings.ContainsKey("Max Auto Prepare")) settings.MaxAutoPrepare = PreparedStatements;
        if (!settings.ContainsKey("Application Name")) settings.ApplicationName = "weeklydigest";
        return settings;
    }

    private static NpgsqlConnectionStringBuilder Parse(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text);
        }
        catch (ArgumentException problem)
        {
            // Npgsql names the key, never the value.
            throw new StorageException($"Storage:ConnectionString cannot be read: {problem.Message.TrimEnd('.')}. Write Host=…;Port=5432;Database=…;Username=…;Password=….", problem);
        }
    }
}

/// <summary>Where a database is.</summary>
/// <param name="Database">Its name.</param>
/// <param name="Server">Host and port.</param>
/// <param name="User">As whom we are there.</param>
internal sealed record PostgresPlace(string Database, string Server, string User)
{
    /// <summary>The place of a connection.</summary>
    public static PostgresPlace Of(NpgsqlConnectionStringBuilder settings)
        => new(settings.Database ?? "", FormattableString.Invariant($"{settings.Host}:{settings.Port}"), settings.Username ?? Environment.UserName);

    /// <summary>For messages: <c>the database news on db.example.com:5432</c>.</summary>
    public override string ToString() => $"the database {Database} on {Server}";
}
