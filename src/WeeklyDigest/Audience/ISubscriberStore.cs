namespace WeeklyDigest.Audience;

/// <summary>Subscribers, lists and suppressions in the database. Inverts the arrow from the pipeline to the storage.</summary>
public interface ISubscriberStore
{
    /// <summary>
    /// Adds the rows to a list in one transaction: new addresses become active subscribers; known ones get the name and the attributes
    /// the row has, and keep those it does not have (several lists may each know something else of them). An address that is
    /// suppressed or not active is counted and left as it is: it never comes back by import. Of an address that comes twice, the first row counts.
    /// </summary>
    /// <param name="list">The list, created when it does not exist.</param>
    /// <param name="rows">The rows, streamed; they may be a million.</param>
    /// <param name="cancel">Stops the import; nothing of it is kept.</param>
    /// <remarks>What <paramref name="rows"/> throws comes through, and nothing of the import is kept. It must not use the store.</remarks>
    Task<ImportCounts> ImportAsync(ListName list, IEnumerable<SubscriberRow> rows, CancellationToken cancel);

    /// <summary>
    /// Adds one address to a list, under the rules of <see cref="ImportAsync"/> but one: an address that bounced, and did nothing else, comes back, since
    /// somebody who names it knows better than its last refusal.
    /// </summary>
    Task<AddResult> AddAsync(ListName list, EmailAddress address, string? name, IReadOnlyDictionary<string, string> attributes, CancellationToken cancel);

    /// <summary>Whether the file imported last into this list has this hash, so that an unchanged file is not imported again.</summary>
    Task<bool> WasImportedAsync(ListName list, string fileHash, CancellationToken cancel);

    /// <summary>Notes that a list file with this hash has been imported; forgets the one before.</summary>
    Task MarkImportedAsync(ListName list, string fileHash, CancellationToken cancel);

    /// <summary>The lists with the number of their active, unsuppressed members, by name.</summary>
    Task<IReadOnlyList<ListSummary>> ListsAsync(CancellationToken cancel);

    /// <summary>The names of the lists, in order. Costs the same however many members they have.</summary>
    Task<IReadOnlyList<ListName>> ListNamesAsync(CancellationToken cancel);

    /// <summary>Whether any of some lists has an active, unsuppressed member: looks no further than the first.</summary>
    Task<bool> HasActiveMemberAsync(IReadOnlyList<ListName> lists, CancellationToken cancel);

    /// <summary>The subscriber of an address, or null.</summary>
    Task<Subscriber?> FindAsync(EmailAddress address, CancellationToken cancel);

    /// <summary>The subscriber of an id, or null.</summary>
    Task<Subscriber?> FindAsync(long subscriberId, CancellationToken cancel);

    /// <summary>Why an address must not be mailed, whether it ever subscribed or not; null when it may be.</summary>
    Task<Suppression?> FindSuppressionAsync(EmailAddress address, CancellationToken cancel);

    /// <summary>Every subscriber, or those of one list, in the order of their ids, streamed.</summary>
    /// <param name="list">The list, or null for everybody.</param>
    /// <param name="onUnreadable">Told of each that is passed over because its address is none any more.</param>
    /// <param name="cancel">Stops.</param>
    IAsyncEnumerable<Subscriber> ExportAsync(ListName? list, Action<UnreadableSubscriber> onUnreadable, CancellationToken cancel);

    /// <summary>
    /// Ends the subscription and suppresses the address, in one transaction; idempotent. From the commit on, no delivery of the
    /// subscriber goes from pending or deferred to sending.
    /// </summary>
    /// <returns>False when there is no such subscriber.</returns>
    Task<bool> UnsubscribeAsync(long subscriberId, string source, CancellationToken cancel);

    /// <summary>
    /// Ends the subscription of an address, as <see cref="UnsubscribeAsync(long, string, CancellationToken)"/> does. One that is no subscriber is
    /// suppressed as unsubscribed all the same: a list file that nobody has read yet may hold it.
    /// </summary>
    /// <returns>False when there is no such subscriber.</returns>
    Task<bool> UnsubscribeAsync(EmailAddress address, string source, CancellationToken cancel);

    /// <summary>Ends the subscription of an <see cref="UnreadableSubscriber"/>, as <see cref="UnsubscribeAsync(long, string, CancellationToken)"/> does.</summary>
    /// <param name="stored">The text of its address, to the letter.</param>
    /// <param name="source">Through what it came.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>False when there is no such subscriber.</returns>
    Task<bool> UnsubscribeStoredAsync(string stored, string source, CancellationToken cancel);

    /// <summary>Takes subscribers off a list; who is on no other stays on it.</summary>
    Task EndMembershipsAsync(ListName list, IReadOnlyList<long> subscribers, CancellationToken cancel);
}

/// <summary>What became of one address that was to be added.</summary>
public enum AddOutcome
{
    /// <summary>A new subscriber.</summary>
    Added,

    /// <summary>A known active one whose name, attributes or lists changed.</summary>
    Updated,

    /// <summary>A known active one that was already so.</summary>
    Unchanged,

    /// <summary>Unsubscribed, bounced, complained, not confirmed, or suppressed: left as it is.</summary>
    KeptOut,

    /// <summary>It had bounced, and is active again.</summary>
    BroughtBack,
}

/// <summary>What adding one address did.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Subscriber">The subscriber as it is now; null when the address is suppressed and never subscribed.</param>
/// <param name="Suppression">Why it was kept out before, when that is a suppression; else null.</param>
public sealed record AddResult(AddOutcome Outcome, Subscriber? Subscriber, Suppression? Suppression)
{
    /// <summary>Whether an address is kept out because it bounced, and for nothing else.</summary>
    public static bool HasBounced(Subscriber? known, Suppression? suppression)
        => (suppression is not null || known is { Status: SubscriberStatus.Bounced })
            && suppression is null or { Reason: "bounced" }
            && known is null or { Status: SubscriberStatus.Active or SubscriberStatus.Bounced };

    /// <summary>What became of one that had bounced: somebody may have left in between.</summary>
    public static AddResult OfBounced(Subscriber? now, Suppression? before)
        => now is { Status: SubscriberStatus.Active, Suppression: null }
            ? new AddResult(AddOutcome.BroughtBack, now, before)
            : new AddResult(AddOutcome.KeptOut, now, now?.Suppression);
}

/// <summary>One row of a list file, checked.</summary>
/// <param name="Line">The line in the file, from 1.</param>
/// <param name="Address">The address.</param>
/// <param name="Name">The name, or null.</param>
/// <param name="Attributes">Further columns, by lower-case column name; empty values left out.</param>
public sealed record SubscriberRow(long Line, EmailAddress Address, string? Name, IReadOnlyDictionary<string, string> Attributes);

/// <summary>What an import did, in addresses.</summary>
/// <param name="Added">New subscribers.</param>
/// <param name="Updated">Known active ones whose name, attributes or lists changed.</param>
/// <param name="Unchanged">Known active ones that were already so, and duplicates within the file.</param>
/// <param name="KeptOut">Addresses that unsubscribed, bounced, complained or are suppressed.</param>
public sealed record ImportCounts(long Added, long Updated, long Unchanged, long KeptOut);

/// <summary>A list and how many active members it has.</summary>
/// <param name="Name">The list.</param>
/// <param name="Active">Members with status active.</param>
/// <param name="Total">All members.</param>
public sealed record ListSummary(ListName Name, long Active, long Total);
