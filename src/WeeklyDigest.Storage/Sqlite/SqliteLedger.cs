using Dapper;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>The deliveries table on SQLite.</summary>
internal sealed class SqliteLedger(SqliteWriter writer, SqliteReaders readers) : ILedger
{
    /// <inheritdoc/>
    public Task<ClaimedRows> ClaimAsync(ClaimRequest request, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Count);
        return writer.TransactAsync(transaction => new SqliteClaim(transaction, request).Take(), cancel);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LedgerWriteResult>> WriteAsync(IReadOnlyList<LedgerWrite> writes, CancellationToken cancel)
        => writes.Count == 0
            ? Task.FromResult<IReadOnlyList<LedgerWriteResult>>([])
            : writer.TransactAsync<IReadOnlyList<LedgerWriteResult>>(transaction => Write(transaction, writes), cancel);

    /// <inheritdoc/>
    public Task RenewAsync(Claimant claimant, CancellationToken cancel)
        => writer.TransactAsync(
            transaction => transaction.Statement("Renew").With("@owner", claimant.Owner).With("@lease", Codes.Of(claimant.LeaseUntil)).Run(),
            cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ClaimHolder>> HoldersAsync(CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<ClaimHolder>>(
            connection => [.. connection.Query<HolderRow>(Queries.Get("Holders")).Select(row => new ClaimHolder(row.Owner, Codes.Time(row.LeaseUntil), row.Rows))],
            cancel);

    /// <inheritdoc/>
    public Task NoteSentAsync(SentNote note, CancellationToken cancel)
        => writer.TransactAsync(
            transaction =>
            {
                transaction.Statement("DropSentNotes").With("@before", Codes.Of(note.At - SentNote.KeptFor)).Run();
                return transaction.Statement("NoteSent").With("@owner", note.Owner).With("@sent", note.Sent).With("@since", Codes.Of(note.Since)).With("@now", Codes.Of(note.At)).Run();
            },
            cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SentNote>> SentNotesAsync(CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<SentNote>>(connection => [.. connection.Query<SentNoteRow>(Queries.Get("SentNotes")).Select(row => row.ToNote())], cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<BegunDelivery>> SendingAsync(string owner, CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<BegunDelivery>>(
            connection => [.. connection.Query<BegunDeliveryRow>(Queries.Get("Sending"), new { owner }).Select(row => row.ToDelivery())], cancel);

    /// <inheritdoc/>
    public Task<RecoveredRows> RecoverAsync(string owner, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel)
        => writer.TransactAsync(transaction => Recover(transaction, owner, onUncertain, now), cancel);

    /// <inheritdoc/>
    public Task<RecoveredRows> RecoverLapsedAsync(string owner, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel)
        => writer.TransactAsync(
            transaction => transaction.Statement("HasLease").With("@owner", owner).With("@now", Codes.Of(now)).Any()
                ? new RecoveredRows(0, 0, 0)
                : Recover(transaction, owner, onUncertain, now),
            cancel);

    /// <inheritdoc/>
    public Task<long> GiveUpAsync(long mailingId, DateTimeOffset before, string reply, int count, DateTimeOffset now, CancellationToken cancel)
        => writer.TransactAsync<long>(
            transaction => transaction.Statement("IsOverdue").With("@mailing", mailingId).With("@before", Codes.Of(before)).Any()
                ? transaction.Statement("GiveUp").With("@mailing", mailingId).With("@reply", reply).With("@note", LedgerReplies.EarlierCopy).With("@count", count).With("@now", Codes.Of(now)).Run()
                : 0,
            cancel);

    /// <inheritdoc/>
    public async Task<long> CutWaitsAsync(DateTimeOffset latest, int count, DateTimeOffset now, CancellationToken cancel)
    {
        // Asked every few seconds: whoever has nothing to change does not wait for another program that holds the database.
        var isAny = await readers.ReadAsync(connection => connection.ExecuteScalar<bool>(Queries.Get("HasLongWait"), new { latest = Codes.Of(latest) }), cancel);
        return !isAny ? 0
            : await writer.TransactAsync<long>(transaction => transaction.Statement("CutWaits").With("@latest", Codes.Of(latest)).With("@count", count).With("@now", Codes.Of(now)).Run(), cancel);
    }

    /// <inheritdoc/>
    public Task<long> PardonAsync(IReadOnlyList<Delivery> failed, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel)
        => writer.TransactAsync(transaction => Pardon(transaction, failed.Select(delivery => (delivery.Id, delivery.Stamp)), onUncertain, now), cancel);

    /// <inheritdoc/>
    public Task<long> TrustAsync(RelayStanding standing, CancellationToken cancel)
        => writer.TransactAsync<long>(transaction => SqliteRefusal.Trust(transaction, standing), cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RelayDoubt>> DoubtsAsync(CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<RelayDoubt>>(connection => [.. connection.Query<RelayDoubtRow>(Queries.Get("RelayDoubts")).Select(row => row.ToDoubt())], cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RelayRefusal>> RefusalsAsync(long mailingId, CancellationToken cancel)
        => readers.ReadAsync<IReadOnlyList<RelayRefusal>>(connection => [.. connection.Query<RefusalRow>(Queries.Get("Refusals"), new { mailing = mailingId }).Select(row => row.ToRefusal())], cancel);

    /// <inheritdoc/>
    public Task<long> PardonRelayAsync(string relay, int count, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel)
        => writer.TransactAsync<long>(
            transaction =>
            {
                var rows = transaction.Query<DoubtedRow>("DoubtedRows", new { relay, count }).AsList();
                Pardon(transaction, rows.Select(row => (row.Id, row.Stamp)), onUncertain, now);
                foreach (var row in rows)
                    transaction.Statement("NotePardoned").With("@relay", relay).With("@mailing", row.MailingId).With("@subscriber", row.SubscriberId).With("@stamp", row.Stamp).Run();
                return rows.Count;
            },
            cancel);

    /// <inheritdoc/>
    public async Task<DecidedRows> DecideAsync(DecisionPortion portion, CancellationToken cancel)
    {
        var from = Codes.Of(DeliveryTransitions.Before(portion.Decision).Single());
        var parameters = new { mailing = portion.MailingId, state = from, after = portion.After, count = portion.Count };
        var rows = await readers.ReadAsync(connection => connection.Query<long>(Queries.Get("RowsInState"), parameters).AsList(), cancel);
        return rows.Count == 0
            ? new DecidedRows(0, 0, null)
            : await writer.TransactAsync(transaction => new SqliteDecision(transaction, portion).Run(rows), cancel);
    }

    private static RecoveredRows Recover(SqliteWriter transaction, string owner, OnUncertain onUncertain, DateTimeOffset now)
    {
        var abandoned = Of("AbandonClaimed").Run();
        return new RecoveredRows(Released: Of("Release").Run(), SentAgain: onUncertain == OnUncertain.Resend ? Take("SendAgain") : 0, Uncertain: abandoned + Take("LoseTrack"));

        SqliteStatement Of(string how) => transaction.Statement(how).With("@owner", owner).With("@now", Codes.Of(now));

        int Take(string how) => Of(how).With("@reply", LedgerReplies.OwnerDied).Run();
    }

    private static long Pardon(SqliteWriter transaction, IEnumerable<(DeliveryId Id, long Stamp)> failed, OnUncertain onUncertain, DateTimeOffset now)
    {
        var readmitted = new HashSet<long>();
        var pardoned = failed.LongCount(row => Pardon(transaction, row.Id, row.Stamp, onUncertain, now, readmitted));
        // Behind all of them: when a mailing had ended says who was passed over for it.
        foreach (var mailing in readmitted) transaction.Statement("GoOn").With("@mailing", mailing).Run();
        return pardoned;
    }

    private static bool Pardon(SqliteWriter transaction, DeliveryId failed, long stamp, OnUncertain onUncertain, DateTimeOffset now, HashSet<long> readmitted)
    {
        Of("PardonRefusal").With("@mailing", failed.MailingId).With("@stamp", stamp).Run();
        if (Of("PardonAddress").With("@mailing", failed.MailingId).Number() is not { } since) return false;
        transaction.Statement("ForgetFiles").With("@since", since).Run();
        Of("PardonSubscriber").With("@now", Codes.Of(now)).Run();
        using var rows = Of("Readmit").With("@since", since).With("@reply", LedgerReplies.Bounced).With("@resend", onUncertain == OnUncertain.Resend ? 1 : 0).With("@now", Codes.Of(now)).Read();
        while (rows.Next()) readmitted.Add(rows.Number(0));
        return true;

        SqliteStatement Of(string name) => transaction.Statement(name).With("@subscriber", failed.SubscriberId);
    }

    private static LedgerWriteResult[] Write(SqliteWriter transaction, IReadOnlyList<LedgerWrite> writes)
    {
        var results = new LedgerWriteResult[writes.Count];
        for (var i = 0; i < results.Length; i++) results[i] = Write(transaction, writes[i]);
        return results;
    }

    private static LedgerWriteResult Write(SqliteWriter transaction, LedgerWrite write)
    {
        if (write.To == DeliveryState.Sending) return Begin(transaction, write);
        if (write.To == DeliveryState.Deferred && write.NextAttemptAt is null)
            throw new ArgumentException($"Delivery {write.Id} is deferred, but to no time.", nameof(write));
        var changed = Bind(transaction.Statement("Transition"), write)
            .With("@from", Codes.Of(write.From))
            .With("@to", Codes.Of(write.To))
            .With("@next", write.To == DeliveryState.Deferred ? Codes.Of(write.NextAttemptAt) : null)
            .With("@reply", write.Reply)
            .With("@counted", write.CountAttempt ? 1 : 0)
            .Run();
        if (changed == 0) return LedgerWriteResult.Fenced;
        if (write.EndsRefusals) transaction.Statement("EndRefusals").With("@mailing", write.Id.MailingId).With("@subscriber", write.Id.SubscriberId).Run();
        if (write.Refusal != Refusal.None) new SqliteRefusal(transaction, write).Note();
        return write.To is DeliveryState.Pending or DeliveryState.Deferred && IsAbandoned(transaction, write) ? LedgerWriteResult.Abandoned : LedgerWriteResult.Written;
    }

    private static LedgerWriteResult Begin(SqliteWriter transaction, LedgerWrite write)
    {
        if (write.From is not (DeliveryState.Claimed or DeliveryState.Sending))
            throw new ArgumentException($"Delivery {write.Id} cannot go from {write.From} to sending.", nameof(write));
        var begun = Bind(transaction.Statement("Begin"), write)
            .With("@reply", write.Reply)
            .With("@counted", write.CountAttempt ? 1 : 0)
            .Run();
        return begun == 1 ? LedgerWriteResult.Written : Refuse(transaction, write);
    }

    private static bool IsAbandoned(SqliteWriter transaction, LedgerWrite write)
        => transaction.Statement("AbandonRow").With("@mailing", write.Id.MailingId).With("@subscriber", write.Id.SubscriberId).With("@now", Codes.Of(write.At)).Run() == 1;

    // What will not be sent again is uncertain; who left is suppressed; what a pause or a cancellation caught goes back; what another holds is left alone.
    private static LedgerWriteResult Refuse(SqliteWriter transaction, LedgerWrite write)
    {
        string mailing, status;
        string? suppressed;
        using (var row = Bind(transaction.Statement("WhyNotBegun"), write, withTime: false).Read())
        {
            if (!row.Next()) return LedgerWriteResult.Fenced;
            (mailing, status, suppressed) = (row.Text(0), row.Text(1), row.TextOrNull(2));
        }
        if (IsAbandoned(transaction, write)) return LedgerWriteResult.Abandoned;
        if (LedgerReplies.WhyNot(status, suppressed) is { } reason)
        {
            transaction.Statement("Suppress").With("@mailing", write.Id.MailingId).With("@subscriber", write.Id.SubscriberId)
                .With("@now", Codes.Of(write.At)).With("@reply", reason).Run();
            return LedgerWriteResult.Suppressed;
        }
        if (mailing != Codes.Of(MailingState.Sending)) Bind(transaction.Statement("GiveBack"), write).Run();
        return LedgerWriteResult.Fenced;
    }

    private static SqliteStatement Bind(SqliteStatement statement, LedgerWrite write, bool withTime = true)
    {
        statement.With("@mailing", write.Id.MailingId).With("@subscriber", write.Id.SubscriberId).With("@stamp", write.Stamp);
        return withTime ? statement.With("@now", Codes.Of(write.At)) : statement;
    }

    private sealed class HolderRow
    {
        public required string Owner { get; init; }
        public long LeaseUntil { get; init; }
        public long Rows { get; init; }
    }
}
