using System.Runtime.CompilerServices;
using System.Text.Json;
using Dapper;
using Microsoft.Data.Sqlite;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>Mailings on SQLite.</summary>
internal sealed class SqliteMailingStore(SqliteWriter writer, SqliteReaders readers) : IMailingStore
{
    private const int PageSize = 1000;

    /// <inheritdoc/>
    public Task<PublishResult> PublishAsync(PublishRequest request, CancellationToken cancel)
        => writer.TransactManyAsync(transaction => new SqlitePublication(transaction, request).Run(), cancel);

    /// <inheritdoc/>
    public Task<bool> RescheduleAsync(long mailingId, FrozenContent content, DateTimeOffset at, CancellationToken cancel)
        => writer.TransactAsync(
            transaction =>
            {
                var isRescheduled = transaction.Statement("Reschedule")
                    .With("@mailing", mailingId)
                    .With("@scheduled", Codes.Of(at))
                    .With("@permalink", content.Permalink)
                    .With("@hash", content.Email.Hash)
                    .With("@file", content.IssueHash)
                    .Run() == 1;
                if (isRescheduled) transaction.Statement("ReplaceContent").With("@mailing", mailingId).With("@content", FrozenContentJson.Write(content)).Run();
                return isRescheduled;
            },
            cancel);

    /// <inheritdoc/>
    public Task<Mailing?> FindAsync(IssueSlug issue, CancellationToken cancel)
        => readers.ReadAsync(connection => Query(connection, null, issue.Value).SingleOrDefault(), cancel);

    /// <inheritdoc/>
    public Task<Mailing?> FindAsync(long mailingId, CancellationToken cancel)
        => readers.ReadAsync(connection => Query(connection, mailingId, null).SingleOrDefault(), cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Mailing>> ListAsync(CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<Mailing>>(connection => [.. Query(connection, null, null)], cancel);

    /// <inheritdoc/>
    public Task<FrozenContent> ContentAsync(long mailingId, CancellationToken cancel)
        => readers.ReadAsync(connection => Content(connection, mailingId), cancel);

    /// <inheritdoc/>
    public Task<(Mailing Mailing, FrozenContent Content)?> FindByPermalinkAsync(string permalink, CancellationToken cancel)
        => readers.ReadAsync(connection => AtPermalink(connection, permalink), cancel);

    /// <inheritdoc/>
    public Task<bool> ChangeStateAsync(
        long mailingId, IReadOnlyCollection<MailingState> from, MailingState to, string? reason, DateTimeOffset now, CancellationToken cancel)
        => writer.TransactAsync(
            transaction =>
            {
                var changed = transaction.Statement("ChangeState")
                    .With("@mailing", mailingId)
                    .With("@from", JsonSerializer.Serialize(from.Select(Codes.Of)))
                    .With("@to", Codes.Of(to))
                    .With("@reason", reason)
                    .With("@now", Codes.Of(now))
                    .Run() == 1;
                if (changed && to == MailingState.Cancelled) transaction.Statement("Abandon").With("@mailing", mailingId).With("@now", Codes.Of(now)).Run();
                if (changed && to == MailingState.Sending) transaction.Statement("LiftStops").With("@mailing", mailingId).Run();
                return changed;
            },
            cancel);

    /// <inheritdoc/>
    public Task<Balance> BalanceAsync(long mailingId, CancellationToken cancel)
        => readers.ReadAsync(connection => connection.QuerySingle<Balance>(Queries.Get("Balance"), new { mailing = mailingId }), cancel);

    /// <inheritdoc/>
    public Task<long> RetriableAsync(long mailingId, CancellationToken cancel)
        => readers.ReadAsync(connection => connection.ExecuteScalar<long>(Queries.Get("Retriable"), new { mailing = mailingId }), cancel);

    /// <inheritdoc/>
    public async IAsyncEnumerable<DeliveryReport> DeliveriesAsync(
        long mailingId, DeliveryState? state, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var after = long.MinValue; ;)
        {
            var parameters = new { mailing = mailingId, after, state = state is { } wanted ? Codes.Of(wanted) : null, count = PageSize };
            var page = await readers.ReadAsync(connection => connection.Query<DeliveryRow>(Queries.Get("Deliveries"), parameters).AsList(), cancel);
            foreach (var row in page) yield return row.ToReport();
            if (page.Count < PageSize) yield break;
            after = page[^1].SubscriberId;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<long>> DueAsync(DateTimeOffset now, CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<long>>(connection => [.. connection.Query<long>(Queries.Get("Due"), new { now = Codes.Of(now) })], cancel);

    /// <inheritdoc/>
    public Task<DateTimeOffset?> NextAttemptAsync(long mailingId, CancellationToken cancel)
        => readers.ReadAsync(
            connection => Codes.Time(connection.ExecuteScalar<long?>(Queries.Get("NextAttempt"), new { mailing = mailingId })), cancel);

    /// <inheritdoc/>
    public Task<MailingRest> RestAsync(long mailingId, CancellationToken cancel)
        => readers.ReadAsync(connection => connection.QuerySingle<RestRow>(Queries.Get("Rest"), new { mailing = mailingId }).ToRest(), cancel);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<DomainAlarm>> AlarmsAsync(long mailingId, int count, CancellationToken cancel)
    {
        var alarms = await UncountedAlarmsAsync(mailingId, count, cancel);
        return alarms.All(alarm => alarm.StoppedAt is null)
            ? alarms
            : AlarmRow.Count(alarms, await readers.ReadAsync(connection => connection.Query<(long, long)>(Queries.Get("Waiting"), new { mailing = mailingId }).AsList(), cancel));
    }

    /// <inheritdoc/>
    public Task<long> LeftAloneAsync(long mailingId, CancellationToken cancel)
        => readers.ReadAsync(connection => connection.ExecuteScalar<long>(Queries.Get("LeftAlone"), new { mailing = mailingId }), cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<DomainAlarm>> UncountedAlarmsAsync(long mailingId, int count, CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<DomainAlarm>>(
            connection => [.. connection.Query<AlarmRow>(Queries.Get("Alarms"), new { mailing = mailingId, count }).Select(row => row.ToAlarm())], cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<(long Id, string Name)>> DomainIdsAsync(IReadOnlyCollection<string> names, CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<(long, string)>>(
            connection => connection.Query<(long, string)>(Queries.Get("DomainIds"), new { names = JsonSerializer.Serialize(names) }).AsList(), cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<DomainRows>> OpenRowsAsync(long mailingId, IReadOnlyCollection<long> domains, CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<DomainRows>>(
            connection => [.. connection.Query<OpenRow>(Queries.Get("OpenRows"), new { mailing = mailingId, ids = JsonSerializer.Serialize(domains) }).Select(row => row.ToRows())], cancel);

    /// <inheritdoc/>
    public Task NoteUnsubscribedAsync(DeliveryId delivery, DateTimeOffset at, CancellationToken cancel)
        => writer.TransactAsync(
            transaction => transaction.Statement("NoteUnsubscribed")
                .With("@mailing", delivery.MailingId).With("@subscriber", delivery.SubscriberId).With("@at", Codes.Of(at)).Run(),
            cancel);

    /// <inheritdoc/>
    public async Task<byte[]> SecretAsync(string name, Func<byte[]> create, CancellationToken cancel)
    {
        if (await FindSecretAsync(name, cancel) is { } known) return known;
        // Of two processes that come here at once, the second finds the first one's secret.
        return await writer.TransactAsync(
            transaction =>
            {
                transaction.Statement("AddSecret").With("@name", name).With("@value", create()).Run();
                using var row = transaction.Statement("Secret").With("@name", name).Read();
                row.Next();
                return row.Bytes(0);
            },
            cancel);
    }

    /// <inheritdoc/>
    public async Task<bool> HasSecretAsync(string name, CancellationToken cancel) => await FindSecretAsync(name, cancel) is not null;

    private Task<byte[]?> FindSecretAsync(string name, CancellationToken cancel)
        => readers.ReadAsync(connection => connection.ExecuteScalar<byte[]?>(Queries.Get("Secret"), new { name }), cancel);

    private static IEnumerable<Mailing> Query(SqliteConnection connection, long? id, string? issue)
        => connection.Query<MailingRow>(Queries.Get("Mailings"), new { id, issue }).Select(row => row.ToMailing());

    private static FrozenContent Content(SqliteConnection connection, long mailingId)
        => connection.ExecuteScalar<string?>(Queries.Get("Content"), new { mailing = mailingId }) is { } text
            ? FrozenContentJson.Read(text)
            : throw new StorageException($"There is no mailing {mailingId}.");

    private static (Mailing, FrozenContent)? AtPermalink(SqliteConnection connection, string permalink)
        => connection.ExecuteScalar<long?>(Queries.Get("MailingAtPermalink"), new { permalink }) is { } id
            ? (Query(connection, id, null).Single(), Content(connection, id))
            : null;
}
