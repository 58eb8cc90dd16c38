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
