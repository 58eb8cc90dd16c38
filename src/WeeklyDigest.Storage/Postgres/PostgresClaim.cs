using Dapper;
using Npgsql;
using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>One claim, inside one transaction: takes rows for a claimant, and takes those out whose subscriber has left or has no address any more.</summary>
/// <param name="connection">The transaction.</param>
/// <param name="request">What to claim.</param>
internal sealed class PostgresClaim(NpgsqlConnection connection, ClaimRequest request)
{
    private readonly List<Delivery> claimed = [];
    private readonly ClaimRooms rooms = new(request.Rooms);
    private readonly long now = Codes.Of(request.Claimant.Now);
    private int looked;

    private int Missing => request.Count - claimed.Count;

    /// <summary>How long the claim holds, in milliseconds.</summary>
    public static long LengthOf(Claimant claimant) => (long)(claimant.LeaseUntil - claimant.Now).TotalMilliseconds;

    /// <summary>Takes rows: due deferred ones first, for they are few, and a million pending ones must not keep them waiting.</summary>
    public async Task<ClaimedRows> TakeAsync()
    {
        var (state, startedAt) = await connection.QuerySingleOrDefaultAsync<(string?, long?)>(Queries.Get("MailingState"), new { mailing = request.MailingId });
        if (state != Codes.Of(MailingState.Sending)) return new ClaimedRows([], 0, PassedOver: false, rooms.Stopped, 0);
        rooms.Stop(await connection.QueryAsync<long>(Queries.Get("StoppedDomains"), new { mailing = request.MailingId }));
        if (!request.PendingOnly) await TakeDueAsync();
        var next = await TakePendingAsync();
        if (claimed.Count > 0 && startedAt is null) await connection.ExecuteAsync(Queries.Get("NoteStarted"), new { mailing = request.MailingId, now });
        return new ClaimedRows(claimed, next, rooms.HasPassed, rooms.Stopped, looked) { Passed = rooms.Passed };
    }

    // A few rows as a rule; very many only when those are all of domains without room.
    private async Task TakeDueAsync()
    {
        var some = Math.Min(2 * Missing, ClaimRequest.MaxLook);
        if (!await TakeDueAsync(some) && Missing > 0 && some < ClaimRequest.MaxLook) await TakeDueAsync(ClaimRequest.MaxLook);
    }

    /// <returns>Whether that were all.</returns>
    private async Task<bool> TakeDueAsync(int count)
    {
        var rows = await LookAsync("DueRows", count);
        var walk = Walk(rows, row => rooms.Take(row.Domain));
        await TakeAllAsync(walk.Fitting);
        if (count == ClaimRequest.MaxLook && rows.Count == ClaimRequest.MaxLook && Missing > 0) await PostponeAsync(walk.PassedBy);
        return rows.Count < count;
    }

    // So many due rows of domains without room that others cannot be seen: they move out of the way, spread evenly.
    private Task<int> PostponeAsync(List<long> subscribers)
    {
        var first = Codes.Of(request.PostponeTo);
        var nexts = subscribers.Select((_, i) => first + (first - now) * i / subscribers.Count).ToArray();
        return connection.ExecuteAsync(Queries.Get("Postpone"), new { mailing = request.MailingId, subscribers = subscribers.ToArray(), nexts, now });
    }

    private async Task<long> TakePendingAsync()
    {
        var after = request.After;
        // Again when those found have left, or another node was faster: the next ones take their places.
        for (var left = request.Look; Missing > 0 && left > 0;)
        {
            var count = Math.Min(Math.Max(2 * Missing, request.Look - left), left);
            var rows = await LookAsync("PendingRows", count, after);
            var walk = Walk(rows, row => rooms.TakePending(row.Id, row.Domain));
            await TakeAllAsync(walk.Fitting);
            looked += walk.Seen;
            if (rows.Count < count && walk.Seen == rows.Count) return 0;
            (after, left) = (rows[walk.Seen - 1].Id, left - walk.Seen);
        }
        return after;
    }

    private async Task<List<Row>> LookAsync(string query, int count, long after = 0)
        => (await connection.QueryAsync<Row>(Queries.Get(query), new { mailing = request.MailingId, now, count, after })).AsList();

    /// <summary>Goes through rows until enough are found whose domain has room.</summary>
    private (List<long> Fitting, List<long> PassedBy, int Seen) Walk(List<Row> rows, Predicate<Row> fits)
    {
        var (fitting, passedBy, seen) = (new List<long>(), new List<long>(), 0);
        for (; seen < rows.Count && fitting.Count < Missing; seen++) (fits(rows[seen]) ? fitting : passedBy).Add(rows[seen].Id);
        return (fitting, passedBy, seen);
    }

    private async Task TakeAllAsync(List<long> subscribers)
    {
        if (subscribers.Count == 0) return;
        var candidates = (await connection.QueryAsync<Candidate>(Queries.Get("ClaimCandidates"), new { mailing = request.MailingId, subscribers = subscribers.ToArray() })).AsList();
        var stay = new List<Delivery>();
        var (left, abandoned, unreadable) = (new List<(long, string)>(), new List<Candidate>(), new List<(long, string)>());
        foreach (var row in candidates)
        {
            if (row.WhyNot is { } whyNot)
            {
                left.Add((row.Id, whyNot));
                if (row.Resent > 0) abandoned.Add(row);
            }
            else if (EmailAddress.TryParse(row.Address, out var address, out var problem)) stay.Add(row.ToDelivery(request.MailingId, address));
            else unreadable.Add((row.Id, LedgerReplies.Unreadable(row.Address, problem, row.Resent)));
        }
        if (stay.Count > 0) await ClaimAsync(stay);
        if (abandoned.Count > 0) await AbandonAsync(abandoned);
        if (left.Count > 0) await EndAsync("Suppress", left);
        if (unreadable.Count > 0) await EndAsync("FailUnreadable", unreadable);
    }

    private async Task ClaimAsync(List<Delivery> rows)
    {
        await connection.ExecuteAsync(Queries.Get("Claim"), new
        {
            mailing = request.MailingId,
            subscribers = rows.Select(row => row.Id.SubscriberId).ToArray(),
            owner = request.Claimant.Owner,
            lease = LengthOf(request.Claimant),
            now,
        });
        claimed.AddRange(rows);
    }

    // Earlier copies may have arrived: these rows do not say that nothing was sent.
    private Task<int> AbandonAsync(List<Candidate> rows)
        => connection.ExecuteAsync(Queries.Get("AbandonRows"), new
        {
            mailings = rows.Select(_ => request.MailingId).ToArray(),
            subscribers = rows.Select(row => row.Id).ToArray(),
            stamps = rows.Select(row => row.Stamp).ToArray(),
            times = rows.Select(_ => now).ToArray(),
            numbers = Enumerable.Range(0, rows.Count).ToArray(),
        });

    private Task<int> EndAsync(string query, List<(long Subscriber, string Reply)> rows)
        => connection.ExecuteAsync(Queries.Get(query), new
        {
            mailings = rows.Select(_ => request.MailingId).ToArray(),
            subscribers = rows.Select(row => row.Subscriber).ToArray(),
            replies = rows.Select(row => row.Reply).ToArray(),
            numbers = Enumerable.Range(0, rows.Count).ToArray(),
            now,
        });

    /// <summary>A row of the queries DueRows and PendingRows.</summary>
    private readonly record struct Row(long Id, long Domain);

    /// <summary>A row of the query ClaimCandidates.</summary>
    private sealed class Candidate
    {
        public long Id { get; init; }
        public long DomainId { get; init; }
        public long Stamp { get; init; }
        public int Attempts { get; init; }
        public long? FirstAttemptAt { get; init; }
        public required string Address { get; init; }
        public string? Name { get; init; }
        public required string Attributes { get; init; }
        public required string Status { get; init; }
        public string? Suppressed { get; init; }
        public int Resent { get; init; }

        public string? WhyNot => LedgerReplies.WhyNot(Status, Suppressed);

        public Delivery ToDelivery(long mailingId, EmailAddress address) => new(
            new DeliveryId(mailingId, Id),
            Stamp + 1,
            Attempts,
            Codes.Time(FirstAttemptAt),
            new Subscriber(Id, address, Name, AttributesJson.Read(Attributes), Codes.State<SubscriberStatus>(Status), Lists: []),
            Resent,
            DomainId);
    }
}
