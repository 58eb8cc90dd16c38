using Dapper;
using Npgsql;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>The deliveries table on PostgreSQL.</summary>
/// <remarks>
/// Leases are counted by the database's clock alone: a claim gives its length, and what is left of it is added to the asking node's own
/// time. So two nodes whose clocks differ by minutes agree on who holds a row. Other times (when a row was changed, when it is tried
/// again) are the writing node's.
/// </remarks>
internal sealed class PostgresLedger(PostgresServer server, TimeProvider time) : ILedger
{
    /// <inheritdoc/>
    public Task<ClaimedRows> ClaimAsync(ClaimRequest request, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Count);
        return server.TransactAsync(connection => new PostgresClaim(connection, request).TakeAsync(), cancel);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<LedgerWriteResult>> WriteAsync(IReadOnlyList<LedgerWrite> writes, CancellationToken cancel)
    {
        if (writes.Count == 0) return [];
        var group = new PostgresWrites(writes);
        await server.RunAsync(group.ApplyAsync, cancel);
        // Dying here leaves what was refused as it was: held by us, until it is recovered.
        if (group.HasUnwritten) await server.TransactAsync(group.SettleAsync, cancel);
        return group.Results;
    }

    /// <inheritdoc/>
    public Task RenewAsync(Claimant claimant, CancellationToken cancel)
        => server.TransactAsync(connection => connection.ExecuteAsync(Queries.Get("Renew"), new { owner = claimant.Owner, lease = PostgresClaim.LengthOf(claimant) }), cancel);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ClaimHolder>> HoldersAsync(CancellationToken cancel)
    {
        var rows = await server.RunAsync(connection => connection.QueryAsync<HolderRow>(Queries.Get("Holders")), cancel);
        var now = time.GetUtcNow();
        return [.. rows.Select(row => new ClaimHolder(row.Owner, now.AddMilliseconds(row.LeaseLeft), row.Rows))];
    }

    /// <inheritdoc/>
    public Task NoteSentAsync(SentNote note, CancellationToken cancel)
        => server.TransactAsync(
            async connection =>
            {
                await connection.ExecuteAsync(Queries.Get("DropSentNotes"), new { before = Codes.Of(note.At - SentNote.KeptFor) });
                return await connection.ExecuteAsync(Queries.Get("NoteSent"), new { owner = note.Owner, sent = note.Sent, since = Codes.Of(note.Since), now = Codes.Of(note.At) });
            },
            cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SentNote>> SentNotesAsync(CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<SentNote>>(
            async connection => [.. (await connection.QueryAsync<SentNoteRow>(Queries.Get("SentNotes"))).Select(row => row.ToNote())], cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<BegunDelivery>> SendingAsync(string owner, CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<BegunDelivery>>(
            async connection => [.. (await connection.QueryAsync<BegunDeliveryRow>(Queries.Get("Sending"), new { owner })).Select(row => row.ToDelivery())], cancel);

    /// <inheritdoc/>
    public Task<RecoveredRows> RecoverAsync(string owner, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel)
        => server.TransactAsync(new PostgresRecovery(owner, onUncertain, now, time).RunAsync, cancel);

    /// <inheritdoc/>
    public Task<RecoveredRows> RecoverLapsedAsync(string owner, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel)
        => server.TransactAsync(new PostgresRecovery(owner, onUncertain, now, time).RunIfLapsedAsync, cancel);

    /// <inheritdoc/>
    public Task<long> GiveUpAsync(long mailingId, DateTimeOffset before, string reply, int count, DateTimeOffset now, CancellationToken cancel)
        => server.TransactAsync<long>(
            async connection => await connection.ExecuteScalarAsync<long>(Queries.Get("IsOverdue"), new { mailing = mailingId, before = Codes.Of(before) }) == 0
                ? 0
                : await connection.ExecuteAsync(Queries.Get("GiveUp"), new { mailing = mailingId, reply, note = LedgerReplies.EarlierCopy, count, now = Codes.Of(now) }),
            cancel);

    /// <inheritdoc/>
    public Task<long> CutWaitsAsync(DateTimeOffset latest, int count, DateTimeOffset now, CancellationToken cancel)
        => server.TransactAsync<long>(
            async connection => await connection.ExecuteAsync(Queries.Get("CutWaits"), new { latest = Codes.Of(latest), count, now = Codes.Of(now) }), cancel);

    /// <inheritdoc/>
    public Task<long> PardonAsync(IReadOnlyList<Delivery> failed, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel)
        => server.TransactAsync(connection => PardonAsync(connection, [.. failed.Select(delivery => (delivery.Id, delivery.Stamp))], onUncertain, now), cancel);

    /// <inheritdoc/>
    public Task<long> TrustAsync(RelayStanding standing, CancellationToken cancel)
    {
        var parameters = new
        {
            relays = new[] { standing.Relay }, accepted = new[] { Codes.Of(standing.AcceptedAt) }, answered = new[] { Codes.Of(standing.AnsweredAt) }, newest = new[] { Codes.Of(standing.Newest) },
        };
        return server.TransactAsync<long>(async connection => await connection.ExecuteAsync(Queries.Get("TrustRelays"), parameters), cancel);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<RelayDoubt>> DoubtsAsync(CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<RelayDoubt>>(
            async connection => [.. (await connection.QueryAsync<RelayDoubtRow>(Queries.Get("RelayDoubts"))).Select(row => row.ToDoubt())], cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RelayRefusal>> RefusalsAsync(long mailingId, CancellationToken cancel)
        => server.RunAsync<IReadOnlyList<RelayRefusal>>(
            async connection => [.. (await connection.QueryAsync<RefusalRow>(Queries.Get("Refusals"), new { mailing = mailingId })).Select(row => row.ToRefusal())], cancel);

    /// <inheritdoc/>
    public Task<long> PardonRelayAsync(string relay, int count, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel)
        => server.TransactAsync<long>(
            async connection =>
            {
                // Not locked: whoever refuses one of these again locks its delivery first, as we do.
                var rows = (await connection.QueryAsync<DoubtedRow>(Queries.Get("DoubtedRows"), new { relay, count })).AsList();
                if (rows.Count == 0) return 0;
                await PardonAsync(connection, rows.ConvertAll(row => (row.Id, row.Stamp)), onUncertain, now);
                await connection.ExecuteAsync(Queries.Get("NotePardoned"), new
                {
                    relay, mailings = rows.Select(row => row.MailingId).ToArray(), subscribers = rows.Select(row => row.SubscriberId).ToArray(), stamps = rows.Select(row => row.Stamp).ToArray(),
                });
                return rows.Count;
            },
            cancel);

    /// <inheritdoc/>
    public Task<DecidedRows> DecideAsync(DecisionPortion portion, CancellationToken cancel)
        => server.UnhurriedAsync(connection => new PostgresDecision(connection, portion).RunAsync(), cancel);

    private static async Task<long> PardonAsync(NpgsqlConnection connection, IReadOnlyList<(DeliveryId Id, long Stamp)> failed, OnUncertain onUncertain, DateTimeOffset now)
    {
        var mailings = failed.Select(delivery => delivery.Id.MailingId).ToArray();
        var subscribers = failed.Select(delivery => delivery.Id.SubscriberId).ToArray();
        // Mailings first, as everywhere; then what could be passed over in them behind our back.
        var recent = (await connection.QueryAsync<long>(Queries.Get("LockRecent"), new { mailings, subscribers })).ToArray();
        await connection.ExecuteAsync(Queries.Get("LockUnsent"), new { mailings = recent, subscribers });
        await connection.ExecuteAsync(Queries.Get("PardonRefusals"), new { mailings, subscribers, stamps = failed.Select(delivery => delivery.Stamp).ToArray() });
        await connection.ExecuteAsync(Queries.Get("LockBounced"), new { subscribers });
        var (pardoned, readmitted) = await connection.QuerySingleAsync<(long, long[])>(
            Queries.Get("Pardon"), new { mailings, subscribers, recent, reply = LedgerReplies.Bounced, resend = onUncertain == OnUncertain.Resend ? 1 : 0, now = Codes.Of(now) });
        if (readmitted.Length > 0) await connection.ExecuteAsync(Queries.Get("GoOn"), new { mailings = readmitted });
        return pardoned;
    }

    private sealed class HolderRow
    {
        public required string Owner { get; init; }
        public long LeaseLeft { get; init; }
        public long Rows { get; init; }
    }
}
