using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>Looks at a database file.</summary>
internal static class SqliteExamination
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Looks, over a connection that cannot write.</summary>
    /// <exception cref="StorageException">It cannot be opened, is newer than this program, or is no database of ours.</exception>
    public static DatabaseExamination Run(string connectionString, TimeSpan patience, TimeProvider time)
    {
        var path = SqliteFile.PathOf(connectionString);
        if (!File.Exists(path)) return new DatabaseExamination { Place = path, IsThere = false };
        var file = SqliteFile.Prepare(connectionString);
        try
        {
            using var connection = file.OpenReader();
            var (applied, missing) = SqliteMigrations.Look(connection, path);
            return new DatabaseExamination
            {
                Place = path,
                IsThere = applied.Count > 0,
                Schema = applied.Max(StringComparer.Ordinal) ?? "",
                Missing = missing,
                Damage = Damage(connection, patience, time),
                Soundness = $"{path} is sound (quick_check).",
                IsExposed = !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0,
            };
        }
        catch (SqliteException failure)
        {
            throw SqliteTrouble.Explain(failure, path);
        }
    }

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
