using Dapper;
using Npgsql;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>
/// What a database has to be like before the ledger's promises can hang on it. Each connection looks when it begins, not only a process: behind a restart or a
/// fail-over there may be another server, or the same one set otherwise.
/// </summary>
internal static class PostgresSetup
{
    private const int OldestVersion = 13;

    private const string Look = """
        SELECT current_setting('server_encoding') AS Encoding, current_setting('fsync') AS Fsync, current_setting('default_transaction_isolation') AS Isolation,
            setting AS SynchronousCommit, source = 'client' AS IsAskedFor
        FROM pg_settings WHERE name = 'synchronous_commit'
        """;

    /// <summary>Looks at the server's settings.</summary>
    /// <exception cref="StorageException">They would break a promise; all that is wrong is listed, with what to do. Somebody can mend it while we wait.</exception>
    public static void Require(NpgsqlConnection connection, PostgresPlace place) => Require(connection.PostgreSqlVersion, connection.QuerySingle<Settings>(Look), place);

    /// <summary>The same for who may not wait.</summary>
    /// <exception cref="StorageException">As there.</exception>
    public static async Task RequireAsync(NpgsqlConnection connection, PostgresPlace place) => Require(connection.PostgreSqlVersion, await connection.QuerySingleAsync<Settings>(Look), place);

    /// <summary>Whether nothing can be changed over a connection.</summary>
    public static bool IsReadOnly(NpgsqlConnection connection) => connection.ExecuteScalar<string>("SHOW transaction_read_only") is "on";

    private static void Require(Version version, Settings settings, PostgresPlace place)
    {
        var problems = Problems(version, settings, place).ToList();
        if (problems.Count == 0) return;
        throw new StorageException($"The program cannot use {place}:" + (problems is [var only] ? " " + only : string.Concat(problems.Select(problem => "\n  " + problem))));
    }

    private static IEnumerable<string> Problems(Version version, Settings settings, PostgresPlace place)
    {
        if (version.Major < OldestVersion) yield return $"PostgreSQL {version} is too old; version {OldestVersion} or newer is needed.";
        if (settings.Encoding is not "UTF8")
            yield return $"Its encoding is {settings.Encoding}, which cannot hold every name; create it anew with ENCODING 'UTF8' TEMPLATE template0.";
        // Without these a commit that returned could be gone after a power failure: a message that was sent would be sent again.
        if (settings.Fsync is not "on") yield return "fsync is off, so that a power failure can lose what was sent; set fsync = on in postgresql.conf.";
        if (settings.SynchronousCommit is "off") yield return $"synchronous_commit is off, so that a power failure can lose what was sent; {MendCommit(settings, place)}";
        // The mark before DATA and every change of a mailing look again after taking a lock; that needs a fresh look for each statement.
        if (settings.Isolation is not "read committed")
            yield return $"default_transaction_isolation is {settings.Isolation}; ALTER ROLE \"{place.User}\" SET default_transaction_isolation = 'read committed'.";
    }

    // We ask for it; so who has it off asked otherwise, or has something in between that passes nothing on.
    private static string MendCommit(Settings settings, PostgresPlace place) => settings.IsAskedFor
        ? $"take it out of Options in {place.Setting} (or out of PGOPTIONS)."
        : $"ALTER ROLE \"{place.User}\" SET synchronous_commit = on.";

    /// <summary>As the server shows them to a session.</summary>
    /// <param name="Encoding">The database's.</param>
    /// <param name="Fsync">Whether it waits for its disk.</param>
    /// <param name="Isolation">How a transaction begins.</param>
    /// <param name="SynchronousCommit">What a commit waits for.</param>
    /// <param name="IsAskedFor">Whether the session asked for that when it began.</param>
    private sealed record Settings(string Encoding, string Fsync, string Isolation, string SynchronousCommit, bool IsAskedFor);
}
