using System.Runtime.CompilerServices;
using Dapper;
using Npgsql;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>Mailings on PostgreSQL.</summary>
internal sealed class PostgresMailingStore(PostgresServer server) : IMailingStore
{
    private const int PageSize = 1000;

    /// <inheritdoc/>
    public Task<PublishResult> PublishAsync(PublishRequest request, CancellationToken cancel)
        => server.UnhurriedAsync(connection => new PostgresPublication(connection, request, cancel).RunAsync(), cancel);

    /// <inheritdoc/>
    public Task<bool> RescheduleAsync(long mailingId, FrozenContent content, DateTimeOffset at, CancellationToken cancel)
        => server.TransactAsync(
            async connection =>
            {
                var parameters = new { mailing = mailingId, scheduled = Codes.Of(at), permalink = content.Permalink, hash = content.Email.Hash, file = content.IssueHash };
                var isRescheduled = await connection.ExecuteAsync(Queries.Get("Reschedule"), parameters) == 1;
                if (isRescheduled) await connection.ExecuteAsync(Queries.Get("ReplaceContent"), new { mailing = mailingId, content = FrozenContentJson.Write(content) });
                return isRescheduled;
            },
            cancel);

    /// <inheritdoc/>
    public Task<Mailing?> FindAsync(IssueSlug issue, CancellationToken cancel)
        => server.RunAsync(async connection => (await QueryAsync(connection, null, issue.Value)).SingleOrDefault(), cancel);

    /// <inheritdoc/>
    public Task<Mailing?> FindAsync(long mailingId, CancellationToken cancel)
        => server.RunAsync(async connection => (await QueryAsync(connection, mailingId, null)).SingleOrDefault(), cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Mailing>> ListAsync(CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<Mailing>>(async connection => [.. await QueryAsync(connection, null, null)], cancel);

    /// <inheritdoc/>
    public Task<FrozenContent> ContentAsync(long mailingId, CancellationToken cancel)
        => server.RunAsync(connection => ContentAsync(connection, mailingId), cancel);

    /// <inheritdoc/>
    public Task<(Mailing Mailing, FrozenContent Content)?> FindByPermalinkAsync(string permalink, CancellationToken cancel)
        => server.RunAsync(connection => AtPermalinkAsync(connection, permalink), cancel);

    /// <inheritdoc/>
    public Task<bool> ChangeStateAsync(
        long mailingId, IReadOnlyCollection<MailingState> from, MailingState to, string? reason, DateTimeOffset now, CancellationToken cancel)
        => server.TransactAsync(
            async connection =>
            {
                var parameters = new { mailing = mailingId, from = from.Select(Codes.Of).ToArray(), to = Codes.Of(to), reason, now = Codes.Of(now) };
                await connection.ExecuteAsync(Queries.Get("LockMailing"), new { mailing = mailingId });
                await connection.ExecuteAsync(Queries.Get("CloseGate"));
                var changed = await connection.ExecuteAsync(Queries.Get("ChangeState"), parameters) == 1;
                if (changed && to == MailingState.Cancelled) await AbandonAsync(connection, mailingId, now);
                if (changed && to == MailingState.Sending) await connection.ExecuteAsync(Queries.Get("LiftStops"), new { mailing = mailingId });
                return changed;
            },
            cancel);

    /// <inheritdoc/>
    public Task<Balance> BalanceAsync(long mailingId, CancellationToken cancel)
        => server.UnhurriedAsync(connection => connection.QuerySingleAsync<Balance>(Queries.Unhurried("Balance", new { mailing = mailingId }, cancel)), cancel);

    /// <inheritdoc/>
    public Task<long> RetriableAsync(long mailingId, CancellationToken cancel)
        => server.UnhurriedAsync(connection => connection.ExecuteScalarAsync<long>(Queries.Unhurried("Retriable", new { mailing = mailingId }, cancel)), cancel);

    /// <inheritdoc/>
    public async IAsyncEnumerable<DeliveryReport> DeliveriesAsync(
        long mailingId, DeliveryState? state, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var after = long.MinValue; ;)
        {
            var parameters = new { mailing = mailingId, after, state = state is { } wanted ? Codes.Of(wanted) : null, count = PageSize };
            var page = (await server.RunAsync(connection => connection.QueryAsync<DeliveryRow>(Queries.Get("Deliveries"), parameters), cancel)).AsList();
            foreach (var row in page) yield return row.ToReport();
            if (page.Count < PageSize) yield break;
            after = page[^1].SubscriberId;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<long>> DueAsync(DateTimeOffset now, CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<long>>(async connection => [.. await connection.QueryAsync<long>(Queries.Get("Due"), new { now = Codes.Of(now) })], cancel);

    /// <inheritdoc/>
    public Task<DateTimeOffset?> NextAttemptAsync(long mailingId, CancellationToken cancel)
        => server.RunAsync(
            async connection => Codes.Time(await connection.ExecuteScalarAsync<long?>(Queries.Get("NextAttempt"), new { mailing = mailingId })), cancel);

    /// <inheritdoc/>
    public Task<MailingRest> RestAsync(long mailingId, CancellationToken cancel)
        => server.RunAsync(async connection => (await connection.QuerySingleAsync<RestRow>(Queries.Get("Rest"), new { mailing = mailingId })).ToRest(), cancel);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<DomainAlarm>> AlarmsAsync(long mailingId, int count, CancellationToken cancel)
    {
        var alarms = await UncountedAlarmsAsync(mailingId, count, cancel);
        return alarms.All(alarm => alarm.StoppedAt is null)
            ? alarms
            : AlarmRow.Count(alarms, await server.UnhurriedAsync(connection => connection.QueryAsync<(long, long)>(Queries.Unhurried("Waiting", new { mailing = mailingId }, cancel)), cancel));
    }

    /// <inheritdoc/>
    public Task<long> LeftAloneAsync(long mailingId, CancellationToken cancel)
        => server.UnhurriedAsync(connection => connection.ExecuteScalarAsync<long>(Queries.Unhurried("LeftAlone", new { mailing = mailingId }, cancel)), cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<DomainAlarm>> UncountedAlarmsAsync(long mailingId, int count, CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<DomainAlarm>>(
            async connection => [.. (await connection.QueryAsync<AlarmRow>(Queries.Get("Alarms"), new { mailing = mailingId, count })).Select(row => row.ToAlarm())], cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<(long Id, string Name)>> DomainIdsAsync(IReadOnlyCollection<string> names, CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<(long, string)>>(
            async connection => (await connection.QueryAsync<(long, string)>(Queries.Get("DomainIds"), new { names = names.ToArray() })).AsList(), cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<DomainRows>> OpenRowsAsync(long mailingId, IReadOnlyCollection<long> domains, CancellationToken cancel)
        => server.UnhurriedAsync<IReadOnlyList<DomainRows>>(
            async connection => [.. (await connection.QueryAsync<OpenRow>(Queries.Unhurried("OpenRows", new { mailing = mailingId, ids = domains.ToArray() }, cancel))).Select(row => row.ToRows())], cancel);

    /// <inheritdoc/>
    public Task NoteUnsubscribedAsync(DeliveryId delivery, DateTimeOffset at, CancellationToken cancel)
        => server.TransactAsync(
            connection => connection.ExecuteAsync(
                Queries.Get("NoteUnsubscribed"), new { mailing = delivery.MailingId, subscriber = delivery.SubscriberId, at = Codes.Of(at) }),
            cancel);

    /// <inheritdoc/>
    public async Task<byte[]> SecretAsync(string name, Func<byte[]> create, CancellationToken cancel)
    {
        if (await FindSecretAsync(name, cancel) is { } known) return known;
        // Of two nodes that come here at once, the second finds the first one's secret.
        return await server.TransactAsync(
            async connection =>
            {
                await connection.ExecuteAsync(Queries.Get("AddSecret"), new { name, value = create() });
                return (await connection.ExecuteScalarAsync<byte[]>(Queries.Get("Secret"), new { name }))!;
            },
            cancel);
    }

    /// <inheritdoc/>
    public async Task<bool> HasSecretAsync(string name, CancellationToken cancel) => await FindSecretAsync(name, cancel) is not null;

    private Task<byte[]?> FindSecretAsync(string name, CancellationToken cancel)
        => server.RunAsync(connection => connection.ExecuteScalarAsync<byte[]?>(Queries.Get("Secret"), new { name }), cancel);

    private static async Task AbandonAsync(NpgsqlConnection connection, long mailingId, DateTimeOffset now)
    {
        await connection.ExecuteAsync(Queries.Get("TakeTime"));
        await connection.ExecuteAsync(Queries.Unhurried("Abandon", new { mailing = mailingId, now = Codes.Of(now) }));
    }

    private static async Task<IEnumerable<Mailing>> QueryAsync(NpgsqlConnection connection, long? id, string? issue)
        => (await connection.QueryAsync<MailingRow>(Queries.Get("Mailings"), new { id, issue })).Select(row => row.ToMailing());

    private static async Task<FrozenContent> ContentAsync(NpgsqlConnection connection, long mailingId)
        => await connection.ExecuteScalarAsync<string?>(Queries.Get("Content"), new { mailing = mailingId }) is { } text
            ? FrozenContentJson.Read(text)
            : throw new StorageException($"There is no mailing {mailingId}.");

    private static async Task<(Mailing, FrozenContent)?> AtPermalinkAsync(NpgsqlConnection connection, string permalink)
        => await connection.ExecuteScalarAsync<long?>(Queries.Get("MailingAtPermalink"), new { permalink }) is { } id
            ? ((await QueryAsync(connection, id, null)).Single(), await ContentAsync(connection, id))
            : null;
}
