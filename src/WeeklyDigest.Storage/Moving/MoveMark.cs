using Microsoft.Data.Sqlite;
using WeeklyDigest.Storage.Sqlite;

namespace WeeklyDigest.Storage.Moving;

/// <summary>
/// What closes the file: an entry in the journal of its migrations, which every version refuses as a step it does not know, and triggers for whoever
/// opened it a moment ago. It is on the disk before the server commits, so that at no moment both can be used.
/// </summary>
/// <param name="source">The file.</param>
/// <param name="place">Where its rows go, in words.</param>
internal sealed class MoveMark(SqliteConnection source, string place)
{
    private static readonly string[] Changes = ["INSERT", "UPDATE", "DELETE"];

    /// <summary>Closes the file, and ends the transaction that it was read in. A mark of a move that was cut off is the same one.</summary>
    public void Set(IReadOnlyList<MovableTable> tables)
    {
        var words = (SqliteMigrations.MovedTo + place).Replace("'", "''", StringComparison.Ordinal);
        foreach (var (name, table, change) in Triggers(tables))
            SqliteFile.Execute(source, $"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {change} ON {table.Quoted} BEGIN SELECT RAISE(ABORT, '{words}'); END");
        Execute($"DELETE FROM schema_version WHERE ScriptName = @moving; INSERT INTO schema_version (ScriptName, Applied) VALUES (@moving, datetime('now')); COMMIT");
    }

    /// <summary>The server has everything: closed for good.</summary>
    public void Keep() => Execute("UPDATE schema_version SET ScriptName = @moved WHERE ScriptName = @moving");

    /// <summary>The server has nothing: the file is used as before.</summary>
    public void Withdraw(IReadOnlyList<MovableTable> tables)
    {
        SqliteFile.Execute(source, "BEGIN IMMEDIATE");
        foreach (var (name, _, _) in Triggers(tables)) SqliteFile.Execute(source, $"DROP TRIGGER IF EXISTS {name}");
        Execute("DELETE FROM schema_version WHERE ScriptName = @moving; COMMIT");
    }

    private static IEnumerable<(string Name, MovableTable Table, string Change)> Triggers(IReadOnlyList<MovableTable> tables)
        => tables.SelectMany(table => Changes.Select(change => ($"\"moved_{table.Name}_{change}\"", table, change)));

    private void Execute(string sql)
    {
        using var command = source.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("@moving", SqliteMigrations.MovingTo + place);
        command.Parameters.AddWithValue("@moved", SqliteMigrations.MovedTo + place);
        command.ExecuteNonQuery();
    }
}
