using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Hangfire.Storage.SQLite.Database;

/// <summary>
/// Brings a database file to this version's schema: the scripts Sql/schema-N.sql, in order, each once. <c>user_version</c> says how
/// many were applied, <c>application_id</c> that the file is ours.
/// </summary>
internal static class Schema
{
    /// <summary>The version this program makes and understands.</summary>
    public const int Version = 1;

    /// <summary>"HfJb" in ASCII: tells our files from other programs' databases, which are never touched.</summary>
    private const long ApplicationId = 0x48664A62;

    private const string Objects = """
        SELECT type || ' ' || name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'
        UNION ALL SELECT 'column ' || t.name || '.' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'
        ORDER BY 1
        """;

    /// <summary>Refuses another program's database, and one of ours that cannot be used as it is; looked at before the first write, so that it stays as it is, down to its journal mode.</summary>
    /// <exception cref="SQLiteStorageException">It is another program's, newer, or has lost tables, indexes or columns.</exception>
    public static void RefuseForeign(Session session, string path)
    {
        var (ours, objects, version) = session.Look(look => (
            look.Plain("PRAGMA application_id").Number() == ApplicationId,
            look.Plain(Objects).Texts(),
            look.Plain("PRAGMA user_version").Number() ?? 0));
        if (!ours && objects.Count > 0) throw new SQLiteStorageException($"The database {path} belongs to another program. Move it away.");
        if (version > Version)
            throw new SQLiteStorageException($"The job database {path} was made by a newer version (schema {version}, this one knows {Version}). Use that version, or move the file away.");
        if (Lost(Made(version), objects) is { Count: > 0 } lost)
            throw new SQLiteStorageException($"The job database {path} has lost what belongs to its schema: {string.Join(", ", lost)}. Stop the program and restore a backup, or move the file away to start with an empty one.");
    }

    /// <summary>
    /// Applies what is missing, all of it or nothing. Of two processes that start at once, one waits and then finds nothing to do. Where
    /// nothing is missing, this still finds out whether the file can be written.
    /// </summary>
    public static void Upgrade(Session session) => session.Transact(Apply, mustSurvivePowerFailure: true);

    private static bool Apply(Session session)
    {
        var from = session.Plain("PRAGMA user_version").Number() ?? 0;
        for (var version = from + 1; version <= Version; version++)
            session.Execute(Script(version));
        session.Plain(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}")).Run();
        session.Plain(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {Version}")).Run();
        return true;
    }

    // Of a table that is gone, the table alone.
    private static List<string> Lost(List<string> made, List<string> present)
    {
        var lost = made.Except(present).ToList();
        return lost.FindAll(name => !lost.Exists(table => table.StartsWith("table ", StringComparison.Ordinal) && name.StartsWith($"column {table["table ".Length..]}.", StringComparison.Ordinal)));
    }

    private static List<string> Made(long version)
    {
        var memory = new SqliteConnection("Data Source=:memory:");
        using var session = new Session(memory);
        memory.Open();
        for (var script = 1L; script <= version; script++) session.Execute(Script(script));
        return session.Plain(Objects).Texts();
    }

    private static string Script(long version) => Queries.File(string.Create(CultureInfo.InvariantCulture, $"schema-{version}.sql"));
}
