using System.Runtime.CompilerServices;
using System.Text.Json;
using Dapper;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>Subscribers, lists and suppressions on SQLite.</summary>
internal sealed class SqliteSubscriberStore(SqliteWriter writer, SqliteReaders readers, TimeProvider time) : ISubscriberStore
{
    private const int PageSize = 1000;

    private long Now => Codes.Of(time.GetUtcNow());

    /// <inheritdoc/>
    public Task<ImportCounts> ImportAsync(ListName list, IEnumerable<SubscriberRow> rows, CancellationToken cancel)
        => writer.TransactLargeAsync(transaction => new SqliteImport(transaction, list, Now).Run(rows, cancel), cancel);

    /// <inheritdoc/>
    public Task<AddResult> AddAsync(
        ListName list, EmailAddress address, string? name, IReadOnlyDictionary<string, string> attributes, CancellationToken cancel)
        => writer.TransactAsync(
            transaction =>
            {
                var known = Find(transaction, address);
                var suppression = transaction.Query<SuppressionRow>("SuppressionOf", new { address = address.Value }).SingleOrDefault()?.ToSuppression();
                // Before anything is touched: a refusal leaves no new list behind.
                var hasBounced = AddResult.HasBounced(known, suppression);
                if (!hasBounced && (suppression is not null || known is { Status: not SubscriberStatus.Active })) return new AddResult(AddOutcome.KeptOut, known, suppression);
                if (hasBounced)
                {
                    if (transaction.Statement("LiftBounce").With("@address", address.Value).Number() is { } since) transaction.Statement("ForgetFiles").With("@since", since).Run();
                    transaction.Statement("BringBack").With("@address", address.Value).With("@now", Now).Run();
                }
                var counts = new SqliteImport(transaction, list, Now).Run([new SubscriberRow(1, address, name, attributes)], cancel);
                var now = Find(transaction, address);
                return hasBounced ? AddResult.OfBounced(now, suppression) : new AddResult(OutcomeOf(counts), now, null);
            },
            cancel);

    /// <inheritdoc/>
    public Task<bool> WasImportedAsync(ListName list, string fileHash, CancellationToken cancel)
        => readers.ReadAsync(
            connection => connection.ExecuteScalar<string?>(Queries.Get("ImportedFile"), new { list = list.Value }) == fileHash, cancel);

    /// <inheritdoc/>
    public Task MarkImportedAsync(ListName list, string fileHash, CancellationToken cancel)
        => writer.TransactAsync(
            transaction => transaction.Statement("NoteImportedFile").With("@list", list.Value).With("@hash", fileHash).With("@now", Now).Run(),
            cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ListSummary>> ListsAsync(CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<ListSummary>>(
            connection => [.. connection.Query<ListRow>(Queries.Get("Lists")).Select(row => row.ToSummary()).OrderBy(list => list.Name)],
            cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ListName>> ListNamesAsync(CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<ListName>>(connection => [.. connection.Query<string>(Queries.Get("ListNames")).Select(Codes.List).Order()], cancel);

    /// <inheritdoc/>
    public Task<bool> HasActiveMemberAsync(IReadOnlyList<ListName> lists, CancellationToken cancel)
        => readers.ReadAsync(
            connection => connection.ExecuteScalar<bool>(Queries.Get("HasActiveMember"), new { lists = JsonSerializer.Serialize(lists.Select(list => list.Value)) }), cancel);

    /// <inheritdoc/>
    public Task<Subscriber?> FindAsync(EmailAddress address, CancellationToken cancel)
        => readers.ReadAsync(
            connection => connection.QuerySingleOrDefault<StoredSubscriber>(Queries.Get("SubscriberByAddress"), new { address = address.Value })?.ToSubscriber(),
            cancel);

    /// <inheritdoc/>
    public Task<Subscriber?> FindAsync(long subscriberId, CancellationToken cancel)
        => readers.ReadAsync(
            connection => connection.QuerySingleOrDefault<StoredSubscriber>(Queries.Get("SubscriberById"), new { id = subscriberId })?.ToSubscriber(),
            cancel);

    /// <inheritdoc/>
    public Task<Suppression?> FindSuppressionAsync(EmailAddress address, CancellationToken cancel)
        => readers.ReadAsync(
            connection => connection.QuerySingleOrDefault<SuppressionRow>(Queries.Get("SuppressionOf"), new { address = address.Value })?.ToSuppression(),
            cancel);

    /// <inheritdoc/>
    public async IAsyncEnumerable<Subscriber> ExportAsync(ListName? list, Action<UnreadableSubscriber> onUnreadable, [EnumeratorCancellation] CancellationToken cancel)
    {
        var query = Queries.Get(list is null ? "Subscribers" : "Members");
        for (var after = long.MinValue; ;)
        {
            var parameters = new { list = list?.Value, after, count = PageSize };
            var page = await readers.ReadAsync(connection => connection.Query<StoredSubscriber>(query, parameters).AsList(), cancel);
            foreach (var row in page)
                if (row.ToSubscriber(onUnreadable) is { } subscriber) yield return subscriber;
            if (page.Count < PageSize) yield break;
            after = page[^1].Id;
        }
    }

    /// <inheritdoc/>
    public Task<bool> UnsubscribeAsync(long subscriberId, string source, CancellationToken cancel)
        => writer.TransactAsync(transaction => Unsubscribe(transaction, subscriberId, source), cancel);

    /// <inheritdoc/>
    public Task<bool> UnsubscribeAsync(EmailAddress address, string source, CancellationToken cancel)
        => writer.TransactAsync(
            transaction =>
            {
                if (transaction.Statement("SubscriberId").With("@address", address.Value).Number() is { } id) return Unsubscribe(transaction, id, source);
                transaction.Statement("SuppressStranger").With("@address", address.Value).With("@source", source).With("@now", Now).Run();
                return false;
            },
            cancel);

    /// <inheritdoc/>
    public Task<bool> UnsubscribeStoredAsync(string stored, string source, CancellationToken cancel)
        => writer.TransactAsync(transaction => transaction.Statement("SubscriberId").With("@address", stored).Number() is { } id && Unsubscribe(transaction, id, source), cancel);

    /// <inheritdoc/>
    public Task EndMembershipsAsync(ListName list, IReadOnlyList<long> subscribers, CancellationToken cancel)
        => writer.TransactAsync(
            transaction => transaction.Statement("EndMemberships").With("@list", list.Value).With("@subscribers", JsonSerializer.Serialize(subscribers)).Run(),
            cancel);

    private static AddOutcome OutcomeOf(ImportCounts counts)
        => counts.Added > 0 ? AddOutcome.Added : counts.Updated > 0 ? AddOutcome.Updated : AddOutcome.Unchanged;

    private static Subscriber? Find(SqliteWriter transaction, EmailAddress address)
        => transaction.Query<StoredSubscriber>("SubscriberByAddress", new { address = address.Value }).SingleOrDefault()?.ToSubscriber();

    private bool Unsubscribe(SqliteWriter transaction, long id, string source)
    {
        transaction.Statement("Unsubscribe").With("@id", id).With("@now", Now).Run();
        transaction.Statement("SuppressSubscriber").With("@id", id).With("@source", source).With("@now", Now).Run();
        return transaction.Statement("SubscriberById").With("@id", id).Any();
    }
}
