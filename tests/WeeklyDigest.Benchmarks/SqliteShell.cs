using System.Diagnostics;

namespace WeeklyDigest.Benchmarks;

/// <summary>The sqlite3 shell (Debian package sqlite3): what the database alone needs for the same rows under the same unique index.</summary>
internal static class SqliteShell
{
    /// <summary>Imports a CSV file of address and name with the shell's own command.</summary>
    /// <returns>How long it took.</returns>
    public static Task<TimeSpan> ImportAsync(string database, string csv) => RunAsync(
        database, "CREATE TABLE subscriber (address TEXT NOT NULL UNIQUE, name TEXT)", $".import --csv --skip 1 {csv} subscriber");

    /// <summary>Imports the same file into an empty database of ours: each row in every table and index that we keep, no question asked about any.</summary>
    /// <returns>How long it took.</returns>
    public static Task<TimeSpan> ImportWholeAsync(string database, string csv) => RunAsync(
        database,
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; BEGIN IMMEDIATE; CREATE TEMP TABLE arrival (address TEXT, name TEXT)",
        $".import --csv --skip 1 {csv} arrival",
        "INSERT INTO domain (name) SELECT DISTINCT substr(address, instr(address, '@') + 1) FROM arrival",
        """
        INSERT INTO subscriber (address, domain_id, name, attributes, status, created_at, updated_at)
        SELECT a.address, d.id, a.name, '{}', 'active', 0, 0 FROM arrival a JOIN domain d ON d.name = substr(a.address, instr(a.address, '@') + 1) WHERE true
        ON CONFLICT DO NOTHING
        """,
        "INSERT INTO membership (list_id, subscriber_id) SELECT l.id, s.id FROM arrival a JOIN subscriber s ON s.address = a.address JOIN list l WHERE true ON CONFLICT DO NOTHING",
        "COMMIT");

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
