using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Publishing;

/// <summary>Mailings in the database. Inverts the arrow from the pipeline to the storage.</summary>
public interface IMailingStore
{
    /// <summary>
    /// Publishes in one immediate transaction: the mailing with its frozen content, the lists, and one pending delivery per active,
    /// unsuppressed member. The database's constraints are unique (issue), unique (mailing, list) and unique (mailing, subscriber): a
    /// second call adds nothing; one that names a further list adds that list's members that are not in the mailing yet, and reopens a
    /// mailing that was sent. A cancelled mailing stays as it is.
    /// </summary>
    Task<PublishResult> PublishAsync(PublishRequest request, CancellationToken cancel);

    /// <summary>
    /// Gives a mailing that was never put to sending another time and the content made for it, in one transaction. Whoever puts a mailing to
    /// sending reads its content afterwards: nobody can be sending the old one.
    /// </summary>
    /// <returns>False when it has begun, or is cancelled; nothing changed.</returns>
    Task<bool> RescheduleAsync(long mailingId, FrozenContent content, DateTimeOffset at, CancellationToken cancel);

    /// <summary>The mailing of an issue, or null.</summary>
    Task<Mailing?> FindAsync(IssueSlug issue, CancellationToken cancel);

    /// <summary>The mailing of an id, or null.</summary>
    Task<Mailing?> FindAsync(long mailingId, CancellationToken cancel);

    /// <summary>All mailings, newest first.</summary>
    Task<IReadOnlyList<Mailing>> ListAsync(CancellationToken cancel);

    /// <summary>The frozen content of a mailing.</summary>
    Task<FrozenContent> ContentAsync(long mailingId, CancellationToken cancel);

    /// <summary>The mailing published under a permalink, with its content; null while it has not begun.</summary>
    Task<(Mailing Mailing, FrozenContent Content)?> FindByPermalinkAsync(string permalink, CancellationToken cancel);

    /// <summary>
    /// Changes the state when it is one of <paramref name="from"/>. To sending, it lifts the stops of domains in the same transaction, and the
    /// time to give up begins anew.
    /// </summary>
    /// <returns>
    /// False when the mailing was in another state, or <paramref name="to"/> is sending and its time has not come, or it is sent and a delivery is pending, claimed, sending or
    /// deferred (a further list may have come a moment ago); nothing changed.
    /// </returns>
    Task<bool> ChangeStateAsync(long mailingId, IReadOnlyCollection<MailingState> from, MailingState to, string? reason, DateTimeOffset now, CancellationToken cancel);

    /// <summary>Counts the deliveries of a mailing.</summary>
    Task<Balance> BalanceAsync(long mailingId, CancellationToken cancel);

    /// <summary>How many failed deliveries would be tried again: those whose subscriber has neither left nor bounced.</summary>
    Task<long> RetriableAsync(long mailingId, CancellationToken cancel);

    /// <summary>The deliveries of a mailing in the order of their ids, streamed.</summary>
    IAsyncEnumerable<DeliveryReport> DeliveriesAsync(long mailingId, DeliveryState? state, CancellationToken cancel);

    /// <summary>
    /// Mailings that need a sender now: scheduled and due; sending with pending or due deferred rows; or sending with no open row at all,
    /// whose end nobody noted. Rows of stopped domains do not count.
    /// </summary>
    Task<IReadOnlyList<long>> DueAsync(DateTimeOffset now, CancellationToken cancel);

    /// <summary>When the next deferred delivery of a mailing is due, or null; those of stopped domains do not count.</summary>
    Task<DateTimeOffset?> NextAttemptAsync(long mailingId, CancellationToken cancel);

    /// <summary>What is left of a mailing for a sender.</summary>
    Task<MailingRest> RestAsync(long mailingId, CancellationToken cancel);

    /// <summary>The receiving domains that do not want a mailing: stopped ones first, then by refusals.</summary>
    Task<IReadOnlyList<DomainAlarm>> AlarmsAsync(long mailingId, int count, CancellationToken cancel);

    /// <summary>The same without a walk of all open rows: nothing is said to wait.</summary>
    Task<IReadOnlyList<DomainAlarm>> UncountedAlarmsAsync(long mailingId, int count, CancellationToken cancel);

    /// <summary>How many deliveries of a mailing wait for the editor: those of stopped domains that are pending or deferred.</summary>
    Task<long> LeftAloneAsync(long mailingId, CancellationToken cancel);

    /// <summary>The keys of the receiving domains of these names; those that nobody has are left out.</summary>
    Task<IReadOnlyList<(long Id, string Name)>> DomainIdsAsync(IReadOnlyCollection<string> names, CancellationToken cancel);

    /// <summary>What is open of a mailing for each of these domains; those of which nothing is, and stopped ones, are left out. Walks all open rows, once.</summary>
    Task<IReadOnlyList<DomainRows>> OpenRowsAsync(long mailingId, IReadOnlyCollection<long> domains, CancellationToken cancel);

    /// <summary>Notes that the subscriber of a delivery left through its link.</summary>
    Task NoteUnsubscribedAsync(DeliveryId delivery, DateTimeOffset at, CancellationToken cancel);

    /// <summary>A secret of the installation, created with the given random bytes on first use; the same for all nodes.</summary>
    Task<byte[]> SecretAsync(string name, Func<byte[]> create, CancellationToken cancel);

    /// <summary>Whether there is a secret of that name.</summary>
    Task<bool> HasSecretAsync(string name, CancellationToken cancel);
}

/// <summary>What to publish.</summary>
/// <param name="Issue">The issue.</param>
/// <param name="Lists">The lists; every one exists.</param>
/// <param name="Content">The frozen content.</param>
/// <param name="ScheduledAt">When to start; null: at once.</param>
/// <param name="Now">The time of publishing.</param>
public sealed record PublishRequest(IssueSlug Issue, IReadOnlyList<ListName> Lists, FrozenContent Content, DateTimeOffset? ScheduledAt, DateTimeOffset Now);

/// <summary>What publishing did.</summary>
/// <param name="MailingId">The mailing, new or old.</param>
/// <param name="Created">Whether the mailing is new.</param>
/// <param name="Added">Deliveries added.</param>
/// <param name="ContentIsFrozen">Whether the mailing kept older content that differs from the request's.</param>
public sealed record PublishResult(long MailingId, bool Created, long Added, bool ContentIsFrozen);

/// <summary>What is left of a mailing for a sender; rows of stopped domains do not count.</summary>
/// <param name="Pending">Whether there are pending rows.</param>
/// <param name="Held">Whether somebody holds rows.</param>
/// <param name="NextAttemptAt">When the next deferred row is due, or null.</param>
/// <param name="Stopped">Whether domains are stopped.</param>
public sealed record MailingRest(bool Pending, bool Held, DateTimeOffset? NextAttemptAt, bool Stopped)
{
    /// <summary>When the last of the deferred rows is due, or null.</summary>
    public DateTimeOffset? LastAttemptAt { get; init; }
}

/// <summary>What is open of a mailing for one receiving domain.</summary>
/// <param name="DomainId">The domain's key.</param>
/// <param name="Pending">Rows that nobody has taken.</param>
/// <param name="Held">Rows that somebody holds: claimed or sending.</param>
/// <param name="Deferred">Rows that were tried and are tried again.</param>
public sealed record DomainRows(long DomainId, long Pending, long Held, long Deferred)
{
    /// <summary>All of them.</summary>
    public long Open => Waiting + Deferred;

    /// <summary>Those that wait for nothing but their turn, or are having it.</summary>
    public long Waiting => Pending + Held;
}
