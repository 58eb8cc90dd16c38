using System.Buffers.Binary;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;

namespace WeeklyDigest.Storage.Moving;

/// <summary>The checksum of a table: SHA-256 over all values in order, each with its kind and its length, so that no two tables look alike.</summary>
internal sealed class TableSum(Action<long> tell) : IDisposable
{
    private const int TellEvery = 10_000;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] head = new byte[9];
    private long untold;

    /// <summary>The rows and the checksum of a table in the target.</summary>
    public static async Task<(long Rows, string Sum)> OfAsync(NpgsqlConnection target, MovableTable table, Action<long> tell, CancellationToken cancel)
    {
        using var sum = new TableSum(tell);
        await using var copy = await target.BeginBinaryExportAsync($"COPY ({table.SelectInTarget}) TO STDOUT (FORMAT BINARY)", cancel);
        copy.Timeout = TimeSpan.Zero;
        var rows = 0L;
        while (await copy.StartRowAsync(cancel) >= 0)
        {
            foreach (var type in table.Types) await AddAsync(sum, copy, type, cancel);
            sum.EndRow();
            rows++;
        }
        return (rows, sum.Finish());
    }

    /// <summary>The checksum of a table in the source.</summary>
    public static string Of(SqliteConnection source, MovableTable table, CancellationToken cancel)
    {
        using var sum = new TableSum(_ => { });
        using var command = source.CreateCommand();
        command.CommandText = table.Select;
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            cancel.ThrowIfCancellationRequested();
            for (var column = 0; column < table.Columns.Count; column++) Add(sum, rows, column, table.Types[column]);
        }
        return sum.Finish();
    }

    /// <summary>Adds a null.</summary>
    public void AddNull() => Begin(0, 0);

    /// <summary>Adds a number.</summary>
    /// <returns>The same.</returns>
    public long Add(long value)
    {
        Begin(1, value);
        return value;
    }

    /// <summary>Adds a number that need not be whole.</summary>
    /// <returns>The same.</returns>
    public double Add(double value)
    {
        Begin(4, BitConverter.DoubleToInt64Bits(value));
        return value;
    }

    /// <summary>Adds a text.</summary>
    /// <returns>The same.</returns>
    public string Add(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        Begin(2, bytes.Length);
        hash.AppendData(bytes);
        return value;
    }

    /// <summary>Adds bytes.</summary>
    /// <returns>The same.</returns>
    public byte[] Add(byte[] value)
    {
        Begin(3, value.Length);
        hash.AppendData(value);
        return value;
    }

    /// <summary>Counts a row.</summary>
    public void EndRow()
    {
        if (++untold == TellEvery) Tell();
    }

    /// <summary>The sum in hex.</summary>
    public string Finish()
    {
        Tell();
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public void Dispose() => hash.Dispose();

    private void Tell()
    {
        tell(untold);
        untold = 0;
    }

    private void Begin(byte kind, long value)
    {
        head[0] = kind;
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(1), value);
        hash.AppendData(head);
    }

    private static async Task AddAsync(TableSum sum, NpgsqlBinaryExporter copy, NpgsqlDbType type, CancellationToken cancel)
    {
        if (copy.IsNull)
        {
            await copy.SkipAsync(cancel);
            sum.AddNull();
        }
        else if (type == NpgsqlDbType.Bigint) sum.Add(await copy.ReadAsync<long>(type, cancel));
        else if (type == NpgsqlDbType.Integer) sum.Add(await copy.ReadAsync<int>(type, cancel));
        else if (type == NpgsqlDbType.Double) sum.Add(await copy.ReadAsync<double>(type, cancel));
        else if (type == NpgsqlDbType.Text) sum.Add(await copy.ReadAsync<string>(type, cancel));
        else sum.Add(await copy.ReadAsync<byte[]>(type, cancel));
    }

    private static void Add(TableSum sum, DbDataReader rows, int column, NpgsqlDbType type)
    {
        if (rows.IsDBNull(column)) sum.AddNull();
        else if (type is NpgsqlDbType.Bigint or NpgsqlDbType.Integer) sum.Add(rows.GetInt64(column));
        else if (type == NpgsqlDbType.Double) sum.Add(rows.GetDouble(column));
        else if (type == NpgsqlDbType.Text) sum.Add(rows.GetString(column));
        else sum.Add(rows.GetFieldValue<byte[]>(column));
    }
}
