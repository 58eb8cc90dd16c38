using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>One claim, inside one transaction: takes rows for a claimant, and takes those out whose subscriber has left.</summary>
internal sealed class SqliteClaim(SqliteWriter transaction, long mailingId, Claimant claimant)
{
    private readonly long now = Codes.Of(claimant.Now);

    /// <summary>Takes up to <paramref name="count"/> rows.</summary>
    public IReadOnlyList<Delivery> Take(int count)
    {
        var claimed = new List<Delivery>(count);
        if (!IsSending(out var started)) return claimed;
        // Until enough or nothing is left: an empty claim has to mean that there is nothing to take, not that the next rows had all left.
        while (claimed.Count < count && Candidates(count - claimed.Count) is { Count: > 0 } candidates)
        {
            foreach (var (delivery, whyNot) in candidates)
            {
                if (whyNot is null) claimed.Add(Claim(delivery));
                else Suppress(delivery.Id, whyNot);
            }
        }
        if (claimed.Count > 0 && !started) transaction.Statement("NoteStarted").With("@mailing", mailingId).With("@now", now).Run();
        return claimed;
    }

    private bool IsSending(out bool started)
    {
        using var row = transaction.Statement("MailingState").With("@mailing", mailingId).Read();
        started = false;
        if (!row.Next() || row.Text(0) != Codes.Of(MailingState.Sending)) return false;
        started = row.NumberOrNull(1) is not null;
        return true;
    }

    private List<(Delivery Delivery, string? WhyNot)> Candidates(int count)
    {
        using var rows = transaction.Statement("ClaimCandidates").With("@mailing", mailingId).With("@now", now).With("@count", count).Read();
        var found = new List<(Delivery, string?)>(count);
        while (rows.Next()) found.Add(Candidate(rows));
        return found;
    }

    private (Delivery, string?) Candidate(SqliteRows row)
    {
        var id = row.Number(0);
        var status = row.Text(7);
        var recipient = new Subscriber(
            id,
            Codes.Address(row.Text(4)),
            row.TextOrNull(5),
            AttributesJson.Read(row.Text(6)),
            Codes.State<SubscriberStatus>(status),
            Codes.Lists(row.TextOrNull(9)));
        var delivery = new Delivery(new DeliveryId(mailingId, id), row.Number(1), (int)row.Number(2), Codes.Time(row.NumberOrNull(3)), recipient, (int)row.Number(10));
        return (delivery, LedgerReplies.WhyNot(status, row.TextOrNull(8)));
    }

    private Delivery Claim(Delivery delivery)
    {
        transaction.Statement("Claim").With("@mailing", mailingId).With("@subscriber", delivery.Id.SubscriberId)
            .With("@owner", claimant.Owner).With("@lease", Codes.Of(claimant.LeaseUntil)).With("@now", now).Run();
        return delivery with { Stamp = delivery.Stamp + 1 };
    }

    private void Suppress(DeliveryId id, string reason)
        => transaction.Statement("Suppress").With("@mailing", id.MailingId).With("@subscriber", id.SubscriberId)
            .With("@now", now).With("@reply", reason).Run();
}
