using System.Diagnostics;

namespace WeeklyDigest.Benchmarks;

/// <summary>The sqlite3 shell (Debian package sqlite3): what the database alone needs for the same rows under the same unique index.</summary>
internal static class SqliteShell
{
    /// <summary>Imports a CSV file of address and name with the shell's own command.</summary>
    /// <returns>How long it took.</returns>
    public static Task<TimeSpan> ImportAsync(string database, string csv) => RunAsync(
        database, "CREATE TABLE subscriber (address TEXT NOT NULL UNIQUE, name TEXT)", $".import --csv --skip 1 {csv} subscriber");

    /// <summary>Inserts a delivery for each subscriber of a database of ours, into a table with the ledger's columns and key.</summary>
    /// <returns>How long it took.</returns>
    public static Task<TimeSpan> PublishAsync(string database) => RunAsync(
        database,
        """
        CREATE TABLE copy (
            mailing_id INTEGER NOT NULL, subscriber_id INTEGER NOT NULL, state TEXT NOT NULL, stamp INTEGER NOT NULL DEFAULT 0, owner TEXT,
            lease_until INTEGER, attempts INTEGER NOT NULL DEFAULT 0, first_attempt_at INTEGER, next_attempt_at INTEGER, reply TEXT,
            updated_at INTEGER NOT NULL, unsubscribed_at INTEGER, PRIMARY KEY (mailing_id, subscriber_id)) STRICT, WITHOUT ROWID
        """,
        "INSERT INTO copy (mailing_id, subscriber_id, state, updated_at) SELECT 1, id, 'pending', 0 FROM subscriber WHERE status = 'active'");

    private static async Task<TimeSpan> RunAsync(string database, params string[] commands)
    {
        var clock = Stopwatch.StartNew();
        await Processes.RunAsync("sqlite3", [database, .. commands]);
        return clock.Elapsed;
    }
}
