using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;

namespace WeeklyDigest.Storage.Moving;

/// <summary>Streams a table over, a row in memory at a time.</summary>
internal sealed class TableCopy(MovableTable table, SqliteConnection source, NpgsqlConnection target, Action<long> tell, CancellationToken cancel)
{
    /// <summary>Copies all rows.</summary>
    /// <returns>The checksum of what was read.</returns>
    public async Task<string> RunAsync()
    {
        using var sum = new TableSum(tell);
        using var command = source.CreateCommand();
        command.CommandText = table.Select;
        using var rows = command.ExecuteReader();
        await using var copy = await target.BeginBinaryImportAsync($"COPY {table.Quoted} ({table.ColumnList}) FROM STDIN (FORMAT BINARY)", cancel);
        // No limit of time: the server checks references at the end, which takes as long as it takes.
        copy.Timeout = TimeSpan.Zero;
        while (rows.Read())
        {
            cancel.ThrowIfCancellationRequested();
            await copy.StartRowAsync(cancel);
            for (var column = 0; column < table.Columns.Count; column++) await CopyAsync(copy, rows, column, sum);
            sum.EndRow();
        }
        await copy.CompleteAsync(cancel);
        return sum.Finish();
    }

    private async Task CopyAsync(NpgsqlBinaryImporter copy, DbDataReader rows, int column, TableSum sum)
    {
        if (rows.IsDBNull(column))
        {
            sum.AddNull();
            await copy.WriteNullAsync(cancel);
            return;
        }
        switch (table.Types[column])
        {
            case NpgsqlDbType.Bigint:
                await copy.WriteAsync(sum.Add(rows.GetInt64(column)), NpgsqlDbType.Bigint, cancel);
                break;
            case NpgsqlDbType.Integer:
                await copy.WriteAsync((int)sum.Add(rows.GetInt64(column)), NpgsqlDbType.Integer, cancel);
                break;
            case NpgsqlDbType.Double:
                await copy.WriteAsync(sum.Add(rows.GetDouble(column)), NpgsqlDbType.Double, cancel);
                break;
            case NpgsqlDbType.Text:
                await copy.WriteAsync(sum.Add(WithoutNul(rows.GetString(column), column)), NpgsqlDbType.Text, cancel);
                break;
            case NpgsqlDbType.Bytea:
                await copy.WriteAsync(sum.Add(rows.GetFieldValue<byte[]>(column)), NpgsqlDbType.Bytea, cancel);
                break;
            case var type:
                throw new StorageException($"The column {table.Columns[column]} of {table.Name} is of the type {type}, which cannot be moved.");
        }
    }

    private string WithoutNul(string text, int column) => !text.Contains('\0', StringComparison.Ordinal)
        ? text
        : throw new StorageException($"A text in {table.Name}.{table.Columns[column]} holds a NUL character, which PostgreSQL cannot keep ('{text.Replace("\0", "␀", StringComparison.Ordinal)}'). Correct it; nothing was moved.");
}
