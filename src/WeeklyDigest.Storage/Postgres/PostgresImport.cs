using Dapper;
using Npgsql;
using NpgsqlTypes;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Brings subscribers into a list, inside one transaction: a file is imported whole or not at all.</summary>
internal sealed class PostgresImport(NpgsqlConnection connection, long list, long now, CancellationToken cancel)
{
    private const int PageSize = 5000;

    /// <summary>Adds all rows; of an address that stands there twice, the first row counts.</summary>
    public async Task<ImportCounts> RunAsync(IEnumerable<SubscriberRow> rows)
    {
        await RunAsync("PrepareImport");
        var total = await CopyAsync(rows);
        await RunAsync("ImportsTakeTurns");
        await RunAsync("AddDomains");
        var added = await RunAsync("AddArrivals", new { now });
        var (keptOut, joining) = (0L, 0L);
        var changed = 0L;
        if (added < total)
        {
            await RunAsync("FindKnown", new { list });
            (keptOut, joining) = await connection.QuerySingleAsync<(long, long)>(Unhurried("CountKnown"));
            await RunAsync("IndexKnown");
            changed = await ChangeAsync();
        }
        await RunAsync("AddMembers", new { list });
        var updated = joining + changed;
        return new ImportCounts(added, updated, total - added - updated - keptOut, keptOut);
    }

    private async Task<long> CopyAsync(IEnumerable<SubscriberRow> rows)
    {
        var number = 0L;
        await using (var copy = await connection.BeginBinaryImportAsync(Queries.Get("CopyArrivals"), cancel))
        {
            foreach (var row in rows)
            {
                cancel.ThrowIfCancellationRequested();
                await copy.StartRowAsync(cancel);
                await copy.WriteAsync(++number, NpgsqlDbType.Bigint, cancel);
                await copy.WriteAsync(row.Address.Value, NpgsqlDbType.Text, cancel);
                if (row.Name is null) await copy.WriteNullAsync(cancel);
                else await copy.WriteAsync(row.Name, NpgsqlDbType.Text, cancel);
                await copy.WriteAsync(AttributesJson.Write(row.Attributes), NpgsqlDbType.Text, cancel);
            }
            await copy.CompleteAsync(cancel);
        }
        return number;
    }

    /// <summary>Lays the rows' names and attributes over those of known subscribers.</summary>
    /// <returns>How many members of the list changed; those who join it are counted elsewhere.</returns>
    private async Task<long> ChangeAsync()
    {
        var changed = 0L;
        for (var after = long.MinValue; ;)
        {
            var page = (await connection.QueryAsync<Known>(Unhurried("ChangedPage", new { after, count = PageSize }))).AsList();
            var others = page.Where(row => row.IsOther).ToList();
            if (others.Count > 0)
            {
                await RunAsync("ChangeSubscribers", new
                {
                    ids = others.Select(row => row.Id).ToArray(),
                    names = others.Select(row => row.NewName).ToArray(),
                    attributes = others.Select(row => row.Merged).ToArray(),
                    now,
                });
            }
            changed += others.Count(row => row.IsMember);
            if (page.Count < PageSize) return changed;
            after = page[^1].Id;
        }
    }

    private Task<int> RunAsync(string query, object? parameters = null)
        => connection.ExecuteAsync(Unhurried(query, parameters));

    private CommandDefinition Unhurried(string query, object? parameters = null) => new(Queries.Get(query), parameters, commandTimeout: 0, cancellationToken: cancel);

    /// <summary>A row of the query ChangedPage.</summary>
    private sealed class Known
    {
        private string? merged;

        public long Id { get; init; }
        public bool IsMember { get; init; }
        public string? OldName { get; init; }
        public required string OldAttributes { get; init; }
        public string? Name { get; init; }
        public required string Attributes { get; init; }

        public string? NewName => Name ?? OldName;

        public string Merged => merged ??= AttributesJson.Merge(OldAttributes, AttributesJson.Read(Attributes));

        public bool IsOther => NewName != OldName || Merged != OldAttributes;
    }
}
