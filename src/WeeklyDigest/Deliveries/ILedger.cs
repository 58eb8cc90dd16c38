namespace WeeklyDigest.Deliveries;

/// <summary>
/// The deliveries table: the only truth about what was sent. Every write is fenced: it changes a row only when the row still has the
/// state and the stamp the writer saw. Inverts the arrow from the pipeline to the storage.
/// </summary>
public interface ILedger
{
    /// <summary>
    /// Takes rows of a mailing that are deferred and due, then pending ones in the order of their subscribers, in one immediate transaction.
    /// Rows whose subscriber is no longer active become suppressed instead, or uncertain when they were to be sent again, and are not returned. Rows whose domain has no room, or is stopped, are
    /// passed by; the walk ends after some ten thousand rows of a kind, and the next claim goes on from there.
    /// </summary>
    /// <returns>The claimed rows; nothing when the mailing is not in state sending.</returns>
    Task<ClaimedRows> ClaimAsync(ClaimRequest request, CancellationToken cancel);

    /// <summary>
    /// Writes a group of changes in one durable transaction. A change to sending asks once more: when the subscriber has left, the row
    /// becomes suppressed; when the mailing is no longer sending (paused, cancelled), the row goes back to pending and the change is fenced. So does
    /// one from sending, which renews the mark of a message that has not left. One that was to be sent again becomes uncertain in place of either, and
    /// so does one that is deferred, given back or decided to be sent again once its mailing is cancelled or its subscriber has left. What
    /// <see cref="LedgerWrite.Refusal"/> says follows in the same transaction: the address is suppressed, or the alarm raised, and what
    /// <see cref="LedgerWrite.Relay"/> says is noted. A change from sending to sent
    /// or failed is also made to a row that was recovered meanwhile, as uncertain or to be sent again, and that nobody has claimed since.
    /// </summary>
    /// <returns>For each change, in order, what became of it.</returns>
    Task<IReadOnlyList<LedgerWriteResult>> WriteAsync(IReadOnlyList<LedgerWrite> writes, CancellationToken cancel);

    /// <summary>Prolongs the lease on all rows a claimant holds.</summary>
    Task RenewAsync(Claimant claimant, CancellationToken cancel);

    /// <summary>The owners that hold claimed or sending rows, with the end of their leases.</summary>
    Task<IReadOnlyList<ClaimHolder>> HoldersAsync(CancellationToken cancel);

    /// <summary>Keeps a note in place of the owner's last one, and drops those that are too old.</summary>
    Task NoteSentAsync(SentNote note, CancellationToken cancel);

    /// <summary>What every process noted last that sent within two weeks, by owner.</summary>
    Task<IReadOnlyList<SentNote>> SentNotesAsync(CancellationToken cancel);

    /// <summary>The rows in state sending that an owner holds, also one whose address cannot be read.</summary>
    Task<IReadOnlyList<BegunDelivery>> SendingAsync(string owner, CancellationToken cancel);

    /// <summary>
    /// Takes a dead owner's rows back: claimed become pending, sending become uncertain, each as the transition table says. An uncertain
    /// row was handed over, so its attempt is counted; who writes outcomes counts it with the answer, not with the mark before DATA.
    /// Under <see cref="OnUncertain.Resend"/> an uncertain row that was not sent again before becomes pending at once. In a cancelled mailing none does,
    /// and a claimed one that was to be sent again becomes uncertain.
    /// </summary>
    Task<RecoveredRows> RecoverAsync(string owner, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel);

    /// <summary>
    /// The same for an owner of whom no more is known than that its lease was over. That is asked again in the transaction, however often it is made
    /// anew: who has renewed its lease since, or claimed with a new one, keeps everything.
    /// </summary>
    Task<RecoveredRows> RecoverLapsedAsync(string owner, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel);

    /// <summary>
    /// Fails pending rows that were never tried, of a mailing in state sending that began to send, was resumed last, and had a message accepted
    /// last, at or before <paramref name="before"/>; of the latter it is known what processes noted.
    /// </summary>
    /// <param name="mailingId">The mailing.</param>
    /// <param name="before">Now less the time to give up.</param>
    /// <param name="reply">Why, for the rows.</param>
    /// <param name="count">At most so many rows; call again while this many were changed.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancel">Stops waiting for the transaction's turn.</param>
    /// <returns>How many were changed.</returns>
    Task<long> GiveUpAsync(long mailingId, DateTimeOffset before, string reply, int count, DateTimeOffset now, CancellationToken cancel);

    /// <summary>
    /// Cuts the waits of deferred rows, of all mailings in state sending, that are tried again later than <paramref name="latest"/>: to that time. A process whose
    /// clock differs from the database's, where that has one of its own, by more than a minute changes nothing.
    /// </summary>
    /// <param name="latest">Now and the longest wait.</param>
    /// <param name="count">At most so many rows of a mailing; call again while this many were changed, or more.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancel">Stops waiting for the transaction's turn.</param>
    /// <returns>How many were changed.</returns>
    Task<long> CutWaitsAsync(DateTimeOffset latest, int count, DateTimeOffset now, CancellationToken cancel);

    /// <summary>
    /// Takes back that addresses were suppressed for deliveries that failed, and makes their subscribers active again: the relay, and not they, was
    /// the cause. The deliveries stay failed, and count no more against their mailboxes. Who is suppressed for anything else stays so, also for a
    /// later attempt at the same delivery, which has another stamp; doing it again changes nothing. What other mailings passed over meanwhile, only
    /// for this suppression, becomes pending, and reopens those that were sent; in cancelled ones, and in those that had ended before it, nothing does.
    /// Under <see cref="OnUncertain.Resend"/> so does what became uncertain meanwhile and was not sent again before; under <see cref="OnUncertain.Hold"/> it stays so.
    /// </summary>
    /// <returns>How many were taken back.</returns>
    Task<long> PardonAsync(IReadOnlyList<Delivery> failed, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel);

    /// <summary>
    /// Forgets what is held against a relay and is older than the last message it accepted, and, unless it has refused too many in a row, than the
    /// last one it put off: those refusals were about their recipients.
    /// </summary>
    /// <returns>How many were forgotten.</returns>
    Task<long> TrustAsync(RelayStanding standing, CancellationToken cancel);

    /// <summary>What is held against each relay of any process; nothing, as a rule.</summary>
    Task<IReadOnlyList<RelayDoubt>> DoubtsAsync(CancellationToken cancel);

    /// <summary>Who failed of one mailing for what is held against relays, also when it was taken back, in order of time; a thousand at most.</summary>
    Task<IReadOnlyList<RelayRefusal>> RefusalsAsync(long mailingId, CancellationToken cancel);

    /// <summary>The same as <see cref="PardonAsync"/> for everything that is held against a relay and stands, whoever sent it and of whatever mailing.</summary>
    /// <param name="relay">Its name.</param>
    /// <param name="count">At most so many deliveries; call again while this many were gone through.</param>
    /// <param name="onUncertain">As there.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancel">Stops waiting for the transaction's turn.</param>
    /// <returns>How many were gone through.</returns>
    Task<long> PardonRelayAsync(string relay, int count, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel);

    /// <summary>
    /// Carries out an editor's decision on the next rows of a mailing that are in the state the decision is about, in one transaction. Rows
    /// that become pending reopen a mailing that was sent; in a cancelled one none does, and a subscriber who has left is left as the row is.
    /// </summary>
    Task<DecidedRows> DecideAsync(DecisionPortion portion, CancellationToken cancel);
}

/// <summary>An owner of claimed rows.</summary>
/// <param name="Owner">The owner.</param>
/// <param name="LeaseUntil">The end of its latest lease.</param>
/// <param name="Rows">How many rows it holds.</param>
public sealed record ClaimHolder(string Owner, DateTimeOffset LeaseUntil, long Rows);

/// <summary>What a recovery changed.</summary>
/// <param name="Released">Rows that were claimed and are pending again.</param>
/// <param name="SentAgain">Rows that were sending, became uncertain, and by the setting are pending again.</param>
/// <param name="Uncertain">Rows that were sending, or were to be sent again in a cancelled mailing, and are uncertain.</param>
public sealed record RecoveredRows(long Released, long SentAgain, long Uncertain);

/// <summary>Some rows of a mailing that an editor decides on.</summary>
/// <param name="MailingId">The mailing.</param>
/// <param name="Decision">Resend or confirm what is uncertain, or retry what has failed.</param>
/// <param name="After">Only subscribers with a larger id; 0 begins.</param>
/// <param name="Count">At most so many rows.</param>
/// <param name="At">The time of the decision.</param>
public sealed record DecisionPortion(long MailingId, DeliveryEvent Decision, long After, int Count, DateTimeOffset At);

/// <summary>What a decision changed.</summary>
/// <param name="Changed">Rows in their new state.</param>
/// <param name="KeptOut">Rows left as they were because the subscriber has left.</param>
/// <param name="Next">Where the next portion begins, or null when nothing is left.</param>
public sealed record DecidedRows(long Changed, long KeptOut, long? Next)
{
    /// <summary>Of <see cref="KeptOut"/>, those who bounced and have not left: adding them again brings them back.</summary>
    public long Bounced { get; init; }
}
