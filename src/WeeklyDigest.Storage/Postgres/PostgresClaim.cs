using System.Collections.Concurrent;
using Dapper;
using Npgsql;
using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage.Postgres;

/// <summary>One claim, inside one transaction: takes rows for a claimant, and takes those out whose subscriber has left.</summary>
/// <param name="connection">The transaction.</param>
/// <param name="mailingId">The mailing.</param>
/// <param name="claimant">Who claims.</param>
/// <param name="lastClaimed">For each mailing, the subscriber at which the last claim of this process ended: the next one goes on from there.</param>
internal sealed class PostgresClaim(NpgsqlConnection connection, long mailingId, Claimant claimant, ConcurrentDictionary<long, long> lastClaimed)
{
    private readonly List<Delivery> claimed = [];
    private readonly long now = Codes.Of(claimant.Now);

    /// <summary>How long the claim holds, in milliseconds.</summary>
    public static long LengthOf(Claimant claimant) => (long)(claimant.LeaseUntil - claimant.Now).TotalMilliseconds;

    /// <summary>Takes up to <paramref name="count"/> rows.</summary>
    public async Task<IReadOnlyList<Delivery>> TakeAsync(int count)
    {
        var (state, startedAt) = await connection.QuerySingleOrDefaultAsync<(string?, long?)>(Queries.Get("MailingState"), new { mailing = mailingId });
        if (state != Codes.Of(MailingState.Sending)) return claimed;
        var after = lastClaimed.GetValueOrDefault(mailingId, long.MinValue);
        await TakeAsync(count, after);
        // Rows that were given back lie before the place where we went on; only a look from the front can say that nothing is left.
        if (claimed.Count < count && after != long.MinValue) await TakeAsync(count, long.MinValue);
        if (claimed.Count > 0 && startedAt is null) await connection.ExecuteAsync(Queries.Get("NoteStarted"), new { mailing = mailingId, now });
        return claimed;
    }

    // Until enough or nothing is left: an empty claim has to mean that there is nothing to take, not that the next rows had all left.
    private async Task TakeAsync(int count, long after)
    {
        while (claimed.Count < count && await CandidatesAsync(count - claimed.Count, after) is { Count: > 0 } candidates)
        {
            var stay = candidates.Where(row => row.WhyNot is null).ToList();
            if (stay.Count > 0) await ClaimAsync(stay);
            if (stay.Count < candidates.Count) await SuppressAsync([.. candidates.Where(row => row.WhyNot is not null)]);
            lastClaimed[mailingId] = after = Math.Max(after, candidates.Max(row => row.Id));
        }
    }

    private async Task<List<Candidate>> CandidatesAsync(int count, long after)
        => (await connection.QueryAsync<Candidate>(Queries.Get("ClaimCandidates"), new { mailing = mailingId, now, count, after })).AsList();

    private async Task ClaimAsync(List<Candidate> rows)
    {
        await connection.ExecuteAsync(Queries.Get("Claim"), new
        {
            mailing = mailingId, subscribers = Ids(rows), owner = claimant.Owner, lease = LengthOf(claimant), now,
        });
        claimed.AddRange(rows.Select(row => row.ToDelivery(mailingId)));
    }

    private Task<int> SuppressAsync(List<Candidate> rows)
        => connection.ExecuteAsync(Queries.Get("Suppress"), new
        {
            mailings = rows.Select(_ => mailingId).ToArray(), subscribers = Ids(rows), replies = rows.Select(row => row.WhyNot).ToArray(), now,
        });

    private static long[] Ids(List<Candidate> rows) => [.. rows.Select(row => row.Id)];

    /// <summary>A row of the query ClaimCandidates.</summary>
    private sealed class Candidate
    {
        public long Id { get; init; }
        public long Stamp { get; init; }
        public int Attempts { get; init; }
        public long? FirstAttemptAt { get; init; }
        public required string Address { get; init; }
        public string? Name { get; init; }
        public required string Attributes { get; init; }
        public required string Status { get; init; }
        public string? Suppressed { get; init; }
        public string? Lists { get; init; }
        public int Resent { get; init; }

        public string? WhyNot => LedgerReplies.WhyNot(Status, Suppressed);

        public Delivery ToDelivery(long mailingId) => new(
            new DeliveryId(mailingId, Id),
            Stamp + 1,
            Attempts,
            Codes.Time(FirstAttemptAt),
            new Subscriber(Id, Codes.Address(Address), Name, AttributesJson.Read(Attributes), Codes.State<SubscriberStatus>(Status), Codes.Lists(Lists)),
            Resent);
    }
}
