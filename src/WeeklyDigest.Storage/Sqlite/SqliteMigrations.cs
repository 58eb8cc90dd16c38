using DbUp;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Sqlite.Helpers;
using Microsoft.Data.Sqlite;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>Brings a database file to this program's schema: the embedded scripts of Sqlite/Migrations, each applied once, in order.</summary>
internal static class SqliteMigrations
{
    /// <summary>Begins the journal's entry in a file that was carried over to a server; what follows says where to.</summary>
    public const string MovedTo = "moved to ";

    /// <summary>Begins the entry while that is being done, and after it was cut off.</summary>
    public const string MovingTo = "being moved to ";

    /// <summary>The table that says what was applied.</summary>
    public const string Journal = "schema_version";

    /// <summary>"WDig", as the first script sets it.</summary>
    private const long ApplicationId = 1464101223;

    /// <summary>Applies what is missing.</summary>
    /// <param name="file">The file.</param>
    /// <param name="movingTo">For the move of the file to there, which may have been cut off before; nobody else may use it then.</param>
    /// <exception cref="StorageException">Another program's database, a newer schema, or a failing script; nothing was changed.</exception>
    public static void Apply(SqliteFile file, string? movingTo = null)
    {
        try
        {
            // Looked at before the first write: another program's database stays as it is, down to its journal mode.
            using (var look = file.Open())
                RefuseForeign(look, file.Path);
            using var connection = file.OpenWriter();
            if (IsCurrent(connection, file.Path, movingTo)) return;
            RequireJournal(connection, file.Path);
            Upgrade(connection, file.Path);
        }
        catch (SqliteException failure)
        {
            throw SqliteTrouble.Explain(failure, file.Path);
        }
    }

    /// <summary>Looks at what was applied, and what this version would apply; changes nothing.</summary>
    /// <exception cref="StorageException">Another program's database, a newer schema, or a file that was moved to a server or is being moved.</exception>
    public static (IReadOnlyList<string> Applied, IReadOnlyList<string> Missing) Look(SqliteConnection connection, string path, string? movingTo = null)
    {
        RefuseForeign(connection, path);
        var applied = Applied(connection);
        applied.Remove(MovingTo + movingTo);
        if (applied.Find(name => name.StartsWith(MovedTo, StringComparison.Ordinal)) is { } moved)
            throw new StorageException(WasMoved(path, moved));
        if (applied.Find(name => name.StartsWith(MovingTo, StringComparison.Ordinal)) is { } moving)
            throw new StorageException($"The database {path} is {moving}. Wait until that is done; if it was cut off, run the same weeklydigest move again: it finds out how far it came, and finishes.");
        var known = Scripts().Select(script => script.Name).ToList();
        var unknown = applied.Except(known).ToList();
        return unknown.Count == 0
            ? (applied, [.. known.Except(applied)])
            : throw new StorageException(
                $"The database {path} was made by a newer version of this program (it has {string.Join(", ", unknown)}). Use that version, or restore an older backup.");
    }

    /// <summary>What is said of a file that was carried over to a server.</summary>
    /// <param name="path">The file.</param>
    /// <param name="moved">The journal's entry.</param>
    public static string WasMoved(string path, string moved) => $"The database {path} was {moved}. Set Storage:Provider to postgres and Storage:ConnectionString to that server; nothing is sent from this file any more.";

    private static void RefuseForeign(SqliteConnection connection, string path)
    {
        // Tables first, mark second: a process that creates the database at this moment commits both at once.
        var tables = (long)SqliteFile.Scalar(connection, "SELECT count(*) FROM sqlite_master")!;
        var mark = (long)SqliteFile.Scalar(connection, "PRAGMA application_id")!;
        if (tables > 0 && mark != ApplicationId)
            throw new StorageException($"The database {path} belongs to another program. Set Storage:ConnectionString to a file of its own.");
    }

    // Asked in one statement: a process that creates the database at this moment commits all of it at once.
    private static void RequireJournal(SqliteConnection connection, string path)
    {
        var isLost = SqliteFile.Scalar(connection, $"SELECT 1 FROM sqlite_master WHERE NOT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '{Journal}') LIMIT 1") is not null;
        SchemaObjects.Require($"The database {path}", isLost ? [$"table {Journal}"] : []);
    }

    // A current database is not written to: a status query must not wait for a running import.
    private static bool IsCurrent(SqliteConnection connection, string path, string? movingTo) => Look(connection, path, movingTo).Missing.Count == 0;

    private static List<string> Applied(SqliteConnection connection)
    {
        if (SqliteFile.Scalar(connection, $"SELECT 1 FROM sqlite_master WHERE name = '{Journal}'") is null) return [];
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT ScriptName FROM {Journal}";
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    // One immediate transaction around reading the journal and running the scripts: of two processes that start at once, one waits
    // and then finds nothing to do; a script that fails leaves the database as it was.
    private static void Upgrade(SqliteConnection connection, string path)
    {
        using var shared = new SharedConnection(connection);
        var result = DeployChanges.To.SqliteDatabase(shared)
            .WithScripts(Scripts())
            .JournalToSqliteTable(Journal)
            .WithTransaction()
            .WithVariablesDisabled()
            .LogTo(new NoOpUpgradeLog())
            .Build()
            .PerformUpgrade();
        if (result.Successful) return;
        if (result.Error is SqliteException failure) throw SqliteTrouble.Explain(failure, path);
        throw new StorageException($"The database {path} could not be brought to this version ({result.ErrorScript?.Name}): {result.Error.Message}", result.Error);
    }

    private static IEnumerable<SqlScript> Scripts() => Embedded.Migrations("Sqlite").Select(script => new SqlScript(script.Name, script.Text));
}
