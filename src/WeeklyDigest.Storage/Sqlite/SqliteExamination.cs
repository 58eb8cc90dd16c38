using Dapper;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>Looks at a database file.</summary>
internal static class SqliteExamination
{
    /// <summary>Whoever waits for a doctor does not wait as long as a send.</summary>
    private const int BusySeconds = 2;

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Looks, over a connection that cannot write.</summary>
    /// <exception cref="StorageException">It cannot be opened, is newer than this program, or is no database of ours.</exception>
    public static DatabaseExamination Run(string connectionString, TimeSpan patience, TimeProvider time)
    {
        var path = SqliteFile.PathOf(connectionString);
        if (!SqliteSides.SpareFolder(path) && SqliteTrouble.OfFolder(path) is { } trouble) throw trouble;
        if (SqliteTrouble.OfMissing(path) is { } missing) throw missing;
        if (!Path.Exists(path)) return new DatabaseExamination { Place = path, IsThere = false, Lists = [] };
        var file = SqliteFile.Prepare(connectionString);
        try
        {
            using var connection = Hasty(file.OpenReader());
            // Known before anything is read: that would leave files beside it that can only be read either, also when this one can be written again.
            if (sqlite3_db_readonly(connection.Handle, "main") == 1) throw SqliteTrouble.Explain(new SqliteException("It can only be read.", SQLITE_READONLY), path);
            var (applied, pending) = SqliteMigrations.Look(connection, path);
            var present = Objects(connection);
            var lost = present.Count > 0 && applied.Count == 0 ? [$"table {SqliteMigrations.Journal}"] : SchemaObjects.Lost(Made(applied), present);
            var damage = Damage(connection, patience, time);
            var canCount = pending.Count == 0 && lost.Count == 0 && damage is [];
            return new DatabaseExamination
            {
                Place = path,
                IsThere = present.Count > 0,
                Schema = applied.Max(StringComparer.Ordinal) ?? "",
                Missing = pending,
                Lost = lost,
                IsHeld = IsHeld(file),
                Damage = damage,
                Lists = canCount ? [.. connection.Query<ListRow>(Queries.Get("Lists")).Select(row => row.ToSummary())] : null,
                FromFiles = canCount ? [.. connection.Query<string>(Queries.Get("FileLists")).Select(Codes.List)] : [],
                Secrets = canCount ? [.. connection.Query<string>(Queries.Get("SecretNames"))] : [],
                Soundness = $"{path} is sound (quick_check).",
                IsExposed = !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0,
            };
        }
        catch (SqliteException failure) when (IsBusy(failure))
        {
            throw new StorageException($"Another program holds the database {path}, so that it cannot be looked at.", failure) { IsAway = true };
        }
        catch (SqliteException failure)
        {
            throw SqliteTrouble.Explain(failure, path);
        }
    }

    /// <summary>Refuses a file that has lost what its migrations made.</summary>
    /// <exception cref="StorageException">It has, or cannot be read.</exception>
    public static void RequireWhole(SqliteFile file)
    {
        try
        {
            using var connection = file.OpenReader();
            SchemaObjects.Require($"The database {file.Path}", SchemaObjects.Lost(Made(SqliteMigrations.Look(connection, file.Path).Applied), Objects(connection)));
        }
        catch (SqliteException failure)
        {
            throw SqliteTrouble.Explain(failure, file.Path);
        }
    }

    // What a database that is made now has.
    private static HashSet<string> Made(IReadOnlyList<string> applied)
    {
        using var memory = new SqliteConnection("Data Source=:memory:");
        memory.Open();
        foreach (var script in Embedded.Migrations("Sqlite").Where(script => applied.Contains(script.Name))) SqliteFile.Execute(memory, script.Text);
        return Objects(memory);
    }

    // As SchemaObjects names them.
    private static HashSet<string> Objects(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT type || ' ' || name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'
            UNION ALL SELECT 'column ' || t.name || '.' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c
            WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'
            """;
        using var reader = command.ExecuteReader();
        var names = new HashSet<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    // Begins what would write. That the log beside the file cannot be written shows at this point.
    private static bool IsHeld(SqliteFile file)
    {
        using var connection = Hasty(file.Open());
        try
        {
            SqliteFile.Execute(connection, "BEGIN IMMEDIATE; ROLLBACK;");
            return false;
        }
        catch (SqliteException failure) when (IsBusy(failure))
        {
            return true;
        }
    }

    // The driver asks again for as long as a command may take, where SQLite itself does not wait.
    private static SqliteConnection Hasty(SqliteConnection connection)
    {
        connection.DefaultTimeout = BusySeconds;
        SqliteFile.Execute(connection, "PRAGMA busy_timeout = 0;");
        return connection;
    }

    private static bool IsBusy(SqliteException failure) => failure.SqliteErrorCode is SQLITE_BUSY or SQLITE_LOCKED;

    private static List<string>? Damage(SqliteConnection connection, TimeSpan patience, TimeProvider time)
    {
        using var limit = new CancellationTokenSource(patience, time);
        using var interrupt = limit.Token.Register(() => sqlite3_interrupt(connection.Handle));
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA quick_check(10)";
            using var reader = command.ExecuteReader();
            var found = new List<string>();
            while (reader.Read()) found.Add(reader.GetString(0).ReplaceLineEndings(" "));
            return found is ["ok"] ? [] : found;
        }
        catch (SqliteException failure) when (failure.SqliteErrorCode == SQLITE_INTERRUPT)
        {
            return null;
        }
    }
}
