using System.Runtime.CompilerServices;
using Dapper;
using Npgsql;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Subscribers, lists and suppressions on PostgreSQL.</summary>
internal sealed class PostgresSubscriberStore(PostgresServer server, TimeProvider time) : ISubscriberStore
{
    private const int PageSize = 1000;

    private long Now => Codes.Of(time.GetUtcNow());

    /// <inheritdoc/>
    public Task<ImportCounts> ImportAsync(ListName list, IEnumerable<SubscriberRow> rows, CancellationToken cancel)
        => server.UnhurriedAsync(
            async connection => await new PostgresImport(connection, await ListAsync(connection, list), Now, cancel).RunAsync(rows), cancel, once: true);

    /// <inheritdoc/>
    public Task<AddResult> AddAsync(
        ListName list, EmailAddress address, string? name, IReadOnlyDictionary<string, string> attributes, CancellationToken cancel)
        => server.TransactAsync(connection => AddAsync(connection, list, new SubscriberRow(1, address, name, attributes)), cancel);

    /// <inheritdoc/>
    public Task<bool> WasImportedAsync(ListName list, string fileHash, CancellationToken cancel)
        => server.RunAsync(
            async connection => await connection.ExecuteScalarAsync<string?>(Queries.Get("ImportedFile"), new { list = list.Value }) == fileHash, cancel);

    /// <inheritdoc/>
    public Task MarkImportedAsync(ListName list, string fileHash, CancellationToken cancel)
        => server.TransactAsync(
            connection => connection.ExecuteAsync(Queries.Get("NoteImportedFile"), new { list = list.Value, hash = fileHash, now = Now }), cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ListSummary>> ListsAsync(CancellationToken cancel)
        => server.UnhurriedAsync<IReadOnlyList<ListSummary>>(
            async connection => [.. (await connection.QueryAsync<ListRow>(Queries.Unhurried("Lists", cancel: cancel))).Select(row => row.ToSummary()).OrderBy(list => list.Name)],
            cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ListName>> ListNamesAsync(CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<ListName>>(async connection => [.. (await connection.QueryAsync<string>(Queries.Get("ListNames"))).Select(Codes.List).Order()], cancel);

    /// <inheritdoc/>
    public Task<bool> HasActiveMemberAsync(IReadOnlyList<ListName> lists, CancellationToken cancel)
        => server.RunAsync(
            connection => connection.ExecuteScalarAsync<bool>(Queries.Get("HasActiveMember"), new { lists = lists.Select(list => list.Value).ToArray() }), cancel);

    /// <inheritdoc/>
    public Task<Subscriber?> FindAsync(EmailAddress address, CancellationToken cancel)
        => server.RunAsync(connection => FindAsync(connection, address), cancel);

    /// <inheritdoc/>
    public Task<Subscriber?> FindAsync(long subscriberId, CancellationToken cancel)
        => server.RunAsync(
            async connection => (await connection.QuerySingleOrDefaultAsync<StoredSubscriber>(Queries.Get("SubscriberById"), new { id = subscriberId }))?.ToSubscriber(),
            cancel);

    /// <inheritdoc/>
    public Task<Suppression?> FindSuppressionAsync(EmailAddress address, CancellationToken cancel)
        => server.RunAsync(connection => SuppressionAsync(connection, address), cancel);

    /// <inheritdoc/>
    public async IAsyncEnumerable<Subscriber> ExportAsync(ListName? list, Action<UnreadableSubscriber> onUnreadable, [EnumeratorCancellation] CancellationToken cancel)
    {
        var query = Queries.Get(list is null ? "Subscribers" : "Members");
        for (var after = long.MinValue; ;)
        {
            var parameters = new { list = list?.Value, after, count = PageSize };
            var page = (await server.RunAsync(connection => connection.QueryAsync<StoredSubscriber>(query, parameters), cancel)).AsList();
            foreach (var row in page)
                if (row.ToSubscriber(onUnreadable) is { } subscriber) yield return subscriber;
            if (page.Count < PageSize) yield break;
            after = page[^1].Id;
        }
    }

    /// <inheritdoc/>
    public Task<bool> UnsubscribeAsync(long subscriberId, string source, CancellationToken cancel)
        => server.TransactAsync(connection => UnsubscribeAsync(connection, subscriberId, source), cancel);

    /// <inheritdoc/>
    public Task<bool> UnsubscribeAsync(EmailAddress address, string source, CancellationToken cancel)
        => server.TransactAsync(
            async connection =>
            {
                if (await connection.ExecuteScalarAsync<long?>(Queries.Get("SubscriberId"), new { address = address.Value }) is { } id)
                    return await UnsubscribeAsync(connection, id, source);
                // An import that has not committed yet may bring the address at this moment: the suppression is what counts.
                await connection.ExecuteAsync(Queries.Get("CloseGate"));
                await connection.ExecuteAsync(Queries.Get("SuppressStranger"), new { address = address.Value, source, now = Now });
                return false;
            },
            cancel);

    /// <inheritdoc/>
    public Task<bool> UnsubscribeStoredAsync(string stored, string source, CancellationToken cancel)
        => server.TransactAsync(
            async connection => await connection.ExecuteScalarAsync<long?>(Queries.Get("SubscriberId"), new { address = stored }) is { } id && await UnsubscribeAsync(connection, id, source),
            cancel);

    /// <inheritdoc/>
    public Task EndMembershipsAsync(ListName list, IReadOnlyList<long> subscribers, CancellationToken cancel)
        => server.TransactAsync(connection => connection.ExecuteAsync(Queries.Get("EndMemberships"), new { list = list.Value, subscribers = subscribers.ToArray() }), cancel);

    private async Task<AddResult> AddAsync(NpgsqlConnection connection, ListName list, SubscriberRow row)
    {
        var known = await FindAsync(connection, row.Address);
        var suppression = await SuppressionAsync(connection, row.Address);
        // Before anything is touched: a refusal leaves no new list behind.
        var hasBounced = AddResult.HasBounced(known, suppression);
        if (!hasBounced && (suppression is not null || known is { Status: not SubscriberStatus.Active })) return new AddResult(AddOutcome.KeptOut, known, suppression);
        // The list first, as an import does: who waits for the other then holds nothing that the other waits for.
        var listId = await ListAsync(connection, list);
        if (hasBounced)
        {
            // The subscriber before the suppression, as an unsubscription does.
            if (known is not null) await connection.ExecuteAsync(Queries.Get("LockSubscriber"), new { id = known.Id });
            if (await connection.ExecuteScalarAsync<long?>(Queries.Get("LiftBounce"), new { address = row.Address.Value }) is { } since) await connection.ExecuteAsync(Queries.Get("ForgetFiles"), new { since });
            await connection.ExecuteAsync(Queries.Get("BringBack"), new { address = row.Address.Value, now = Now });
        }
        var outcome = known is null && await InsertAsync(connection, row) ? AddOutcome.Added : AddOutcome.Unchanged;
        known ??= (await FindAsync(connection, row.Address))!;
        var joined = await connection.ExecuteAsync(Queries.Get("AddMember"), new { list = listId, subscriber = known.Id }) == 1;
        if (outcome != AddOutcome.Added && (await ChangeAsync(connection, known, row) | joined)) outcome = AddOutcome.Updated;
        var now = await FindAsync(connection, row.Address);
        return hasBounced ? AddResult.OfBounced(now, suppression) : new AddResult(outcome, now, null);
    }

    private async Task<bool> InsertAsync(NpgsqlConnection connection, SubscriberRow row)
    {
        var parameters = new { address = row.Address.Value, domain = row.Address.Domain, name = row.Name, attributes = AttributesJson.Write(row.Attributes), now = Now };
        await connection.ExecuteAsync(Queries.Get("AddDomain"), parameters);
        return await connection.ExecuteScalarAsync<long?>(Queries.Get("AddSubscriber"), parameters) is not null;
    }

    private async Task<bool> ChangeAsync(NpgsqlConnection connection, Subscriber known, SubscriberRow row)
    {
        var old = AttributesJson.Write(known.Attributes);
        var (name, attributes) = (row.Name ?? known.Name, AttributesJson.Merge(old, row.Attributes));
        if (name == known.Name && attributes == old) return false;
        await connection.ExecuteAsync(Queries.Get("ChangeSubscriber"), new { subscriber = known.Id, name, attributes, now = Now });
        return true;
    }

    private async Task<bool> UnsubscribeAsync(NpgsqlConnection connection, long id, string source)
    {
        // Before the gate is closed: marks must not wait behind us.
        var found = (await connection.QueryAsync<bool?>(Queries.Get("TryLockSubscriber"), new { id })).AsList();
        if (found.Count == 0) return false;
        await connection.ExecuteAsync(Queries.Get("CloseGate"));
        if (found[0] == true) await connection.ExecuteAsync(Queries.Get("Unsubscribe"), new { id, now = Now });
        await connection.ExecuteAsync(Queries.Get("SuppressSubscriber"), new { id, source, now = Now });
        return true;
    }

    private async Task<long> ListAsync(NpgsqlConnection connection, ListName list)
    {
        await connection.ExecuteAsync(Queries.Get("AddList"), new { list = list.Value, now = Now });
        return await connection.ExecuteScalarAsync<long>(Queries.Get("ListId"), new { list = list.Value });
    }

    private static async Task<Subscriber?> FindAsync(NpgsqlConnection connection, EmailAddress address)
        => (await connection.QuerySingleOrDefaultAsync<StoredSubscriber>(Queries.Get("SubscriberByAddress"), new { address = address.Value }))?.ToSubscriber();

    private static async Task<Suppression?> SuppressionAsync(NpgsqlConnection connection, EmailAddress address)
        => (await connection.QuerySingleOrDefaultAsync<SuppressionRow>(Queries.Get("SuppressionOf"), new { address = address.Value }))?.ToSuppression();
}
