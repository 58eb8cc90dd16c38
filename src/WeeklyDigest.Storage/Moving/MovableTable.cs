using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;

namespace WeeklyDigest.Storage.Moving;

/// <summary>A table as the source describes it; the target has one of the same name with the same columns.</summary>
internal sealed class MovableTable
{
    private NpgsqlDbType[] types = [];

    private MovableTable(string name, IReadOnlyList<string> columns, IReadOnlyList<string> key, long rows)
        => (Name, Columns, Key, Rows) = (name, columns, key, rows);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The name in SQL.</summary>
    public string Quoted => $"\"{Name}\"";

    /// <summary>Its columns.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>The columns of its key, in their order.</summary>
    public IReadOnlyList<string> Key { get; }

    /// <summary>How many rows the source has.</summary>
    public long Rows { get; }

    /// <summary>The columns' types in the target.</summary>
    public IReadOnlyList<NpgsqlDbType> Types => types;

    /// <summary>The columns in SQL.</summary>
    public string ColumnList => string.Join(", ", Columns.Select(column => $"\"{column}\""));

    /// <summary>All rows in the order of the key, in the source's SQL: numbers, and texts by their bytes.</summary>
    public string Select => $"SELECT {ColumnList} FROM {Quoted} ORDER BY {string.Join(", ", Key.Select(column => $"\"{column}\""))}";

    /// <summary>The same rows in the same order, in the target's SQL.</summary>
    public string SelectInTarget => $"SELECT {ColumnList} FROM {Quoted} ORDER BY {string.Join(", ", Key.Select(column => $"\"{column}\"{(IsText(column) ? " COLLATE \"C\"" : "")}"))}";

    /// <summary>Every table of the source but the journal of its migrations; those that others refer to come first.</summary>
    public static IReadOnlyList<MovableTable> All(SqliteConnection source)
    {
        var names = Texts(source, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_version' ORDER BY name");
        var ordered = new List<string>();
        while (names.Count > 0)
        {
            var next = names.First(name => Texts(source, $"SELECT \"table\" FROM pragma_foreign_key_list('{name}')").All(other => other == name || ordered.Contains(other)));
            names.Remove(next);
            ordered.Add(next);
        }
        return [.. ordered.Select(name => new MovableTable(
            name,
            Texts(source, $"SELECT name FROM pragma_table_info('{name}') ORDER BY cid"),
            Texts(source, $"SELECT name FROM pragma_table_info('{name}') WHERE pk > 0 ORDER BY pk"),
            Number(source, $"SELECT count(*) FROM \"{name}\"")))];
    }

    /// <summary>Asks the target for the types.</summary>
    public async Task ReadTypesAsync(NpgsqlConnection target, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"SELECT {ColumnList} FROM {Quoted} LIMIT 0", target);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        types = [.. rows.GetColumnSchema().Select(column => column.NpgsqlDbType ?? throw new StorageException($"The column {column.ColumnName} of {Name} cannot be moved."))];
    }

    /// <summary>Lets the target's numbers go on where the source's would: ids are never given twice, not even those of rows that are gone.</summary>
    public async Task ContinueIdsAsync(SqliteConnection source, NpgsqlConnection target, CancellationToken cancel)
    {
        await using var look = new NpgsqlCommand($"SELECT pg_get_serial_sequence('{Quoted}', '{Key[0]}')", target);
        if (await look.ExecuteScalarAsync(cancel) is not string sequence) return;
        // Not every table of the source notes the last number; one that does not goes on behind its last row.
        var last = Number(source, $"SELECT max(coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = '{Name}'), 0), coalesce((SELECT max(\"{Key[0]}\") FROM {Quoted}), 0))");
        if (last == 0) return;
        await using var command = new NpgsqlCommand($"SELECT setval('{sequence}', {last})", target);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private bool IsText(string column) => types[Columns.ToList().IndexOf(column)] == NpgsqlDbType.Text;

    private static List<string> Texts(SqliteConnection source, string sql)
    {
        using var command = source.CreateCommand();
        command.CommandText = sql;
        using var rows = command.ExecuteReader();
        var texts = new List<string>();
        while (rows.Read()) texts.Add(rows.GetString(0));
        return texts;
    }

    private static long Number(SqliteConnection source, string sql)
    {
        using var command = source.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
