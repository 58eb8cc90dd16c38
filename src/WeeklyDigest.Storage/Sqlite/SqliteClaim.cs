using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>One claim, inside one transaction: takes rows for a claimant, and takes those out whose subscriber has left or has no address any more.</summary>
internal sealed class SqliteClaim(SqliteWriter transaction, ClaimRequest request)
{
    private readonly long now = Codes.Of(request.Claimant.Now);
    private readonly List<Delivery> claimed = [];
    private readonly ClaimRooms rooms = new(request.Rooms);
    private int looked;

    private int Missing => request.Count - claimed.Count;

    /// <summary>Takes rows: due deferred ones first, for they are few, and a million pending ones must not keep them waiting.</summary>
    public ClaimedRows Take()
    {
        if (!IsSending(out var started)) return new ClaimedRows([], 0, PassedOver: false, rooms.Stopped, 0);
        ReadStops();
        if (!request.PendingOnly) TakeDue();
        var next = TakePending();
        if (claimed.Count > 0 && !started) Bind("NoteStarted").With("@now", now).Run();
        return new ClaimedRows(claimed, next, rooms.HasPassed, rooms.Stopped, looked) { Passed = rooms.Passed };
    }

    private bool IsSending(out bool started)
    {
        using var row = Bind("MailingState").Read();
        started = false;
        if (!row.Next() || row.Text(0) != Codes.Of(MailingState.Sending)) return false;
        started = row.NumberOrNull(1) is not null;
        return true;
    }

    private void ReadStops()
    {
        using var rows = Bind("StoppedDomains").Read();
        while (rows.Next()) rooms.Stop(rows.Number(0));
    }

    private void TakeDue()
    {
        var walk = Look(Bind("DueRows").With("@now", now), ClaimRequest.MaxLook, (_, domain) => rooms.Take(domain));
        TakeAll(walk.Fitting);
        if (walk.Seen == ClaimRequest.MaxLook && Missing > 0) Postpone(walk.PassedBy);
    }

    // So many due rows of domains without room that others cannot be seen: they move out of the way, spread evenly.
    private void Postpone(List<long> subscribers)
    {
        var first = Codes.Of(request.PostponeTo);
        var spread = first - now;
        for (var i = 0; i < subscribers.Count; i++)
            Bind("Postpone").With("@subscriber", subscribers[i]).With("@next", first + spread * i / subscribers.Count).With("@now", now).Run();
    }

    private long TakePending()
    {
        var after = request.After;
        // Again when those found have left: the next ones take their places.
        for (var left = request.Look; Missing > 0 && left > 0;)
        {
            var walk = Look(Bind("PendingRows").With("@after", after), left, rooms.TakePending);
            TakeAll(walk.Fitting);
            looked += walk.Seen;
            if (walk.IsEnd) return 0;
            (after, left) = (walk.Last, left - walk.Seen);
        }
        return after;
    }

    /// <summary>Walks an index until enough rows are found whose domain has room.</summary>
    private Walk Look(SqliteStatement statement, int atMost, Func<long, long, bool> fits)
    {
        var walk = new Walk();
        using var rows = statement.With("@count", atMost).Read();
        while (walk.Fitting.Count < Missing && walk.Seen < atMost)
        {
            if (!rows.Next())
            {
                walk.IsEnd = true;
                break;
            }
            walk.Seen++;
            walk.Last = rows.Number(0);
            (fits(walk.Last, rows.Number(1)) ? walk.Fitting : walk.PassedBy).Add(walk.Last);
        }
        return walk;
    }

    private void TakeAll(List<long> subscribers)
    {
        foreach (var subscriber in subscribers)
        {
            var (delivery, ending, reply) = Candidate(subscriber);
            if (delivery is not null) claimed.Add(Claim(delivery));
            else if (!IsAbandoned(subscriber)) Bind(ending).With("@subscriber", subscriber).With("@now", now).With("@reply", reply).Run();
        }
    }

    // An earlier copy may have arrived: the row does not say that nothing was sent.
    private bool IsAbandoned(long subscriber) => Bind("AbandonRow").With("@subscriber", subscriber).With("@now", now).Run() == 1;

    // The delivery; or, when there is none to be, the statement that ends it, and its reply.
    private (Delivery? Delivery, string Ending, string Reply) Candidate(long subscriber)
    {
        using var row = Bind("ClaimCandidate").With("@subscriber", subscriber).Read();
        row.Next();
        var (stored, status) = (row.Text(5), row.Text(8));
        if (LedgerReplies.WhyNot(status, row.TextOrNull(9)) is { } left) return (null, "Suppress", left);
        if (!EmailAddress.TryParse(stored, out var address, out var problem)) return (null, "FailUnreadable", LedgerReplies.Unreadable(stored, problem, (int)row.Number(3)));
        var recipient = new Subscriber(
            subscriber,
            address,
            row.TextOrNull(6),
            AttributesJson.Read(row.Text(7)),
            Codes.State<SubscriberStatus>(status),
            Lists: []);
        var id = new DeliveryId(request.MailingId, subscriber);
        var delivery = new Delivery(id, row.Number(0), (int)row.Number(1), Codes.Time(row.NumberOrNull(2)), recipient, (int)row.Number(3), row.Number(4));
        return (delivery, "", "");
    }

    private Delivery Claim(Delivery delivery)
    {
        Bind("Claim").With("@subscriber", delivery.Id.SubscriberId)
            .With("@owner", request.Claimant.Owner).With("@lease", Codes.Of(request.Claimant.LeaseUntil)).With("@now", now).Run();
        return delivery with { Stamp = delivery.Stamp + 1 };
    }

    private SqliteStatement Bind(string name) => transaction.Statement(name).With("@mailing", request.MailingId);

    /// <summary>What a walk found: subscribers whose domain has room, and those whose domain has none.</summary>
    private sealed class Walk
    {
        public List<long> Fitting { get; } = [];

        public List<long> PassedBy { get; } = [];

        /// <summary>Rows looked at.</summary>
        public int Seen { get; set; }

        /// <summary>The subscriber looked at last.</summary>
        public long Last { get; set; }

        /// <summary>Whether there are no more rows.</summary>
        public bool IsEnd { get; set; }
    }
}
