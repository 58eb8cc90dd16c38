namespace WeeklyDigest.Deliveries;

/// <summary>
/// The deliveries table: the only truth about what was sent. Every write is fenced: it changes a row only when the row still has the
/// state and the stamp the writer saw. Inverts the arrow from the pipeline to the storage.
/// </summary>
public interface ILedger
{
    /// <summary>
    /// Takes up to <paramref name="count"/> rows of a mailing that are pending, or deferred and due, in one immediate transaction.
    /// Rows whose subscriber is no longer active become suppressed instead and are not returned.
    /// </summary>
    /// <returns>The claimed rows; empty when there is nothing to take, or the mailing is not in state sending.</returns>
    Task<IReadOnlyList<Delivery>> ClaimAsync(long mailingId, int count, Claimant claimant, CancellationToken cancel);

    /// <summary>
    /// Writes a group of changes in one durable transaction. A change to sending asks once more: when the subscriber has left, the row
    /// becomes suppressed; when the mailing is no longer sending (paused, cancelled), the row goes back to pending and the change is fenced.
    /// </summary>
    /// <returns>For each change, in order, what became of it.</returns>
    Task<IReadOnlyList<LedgerWriteResult>> WriteAsync(IReadOnlyList<LedgerWrite> writes, CancellationToken cancel);

    /// <summary>Prolongs the lease on all rows a claimant holds.</summary>
    Task RenewAsync(Claimant claimant, CancellationToken cancel);

    /// <summary>The owners that hold claimed or sending rows, with the end of their leases.</summary>
    Task<IReadOnlyList<ClaimHolder>> HoldersAsync(CancellationToken cancel);

    /// <summary>
    /// Takes a dead owner's rows back: claimed become pending, sending become uncertain, each as the transition table says. An uncertain
    /// row was handed over, so its attempt is counted; who writes outcomes counts it with the answer, not with the mark before DATA.
    /// Under <see cref="OnUncertain.Resend"/> an uncertain row that was not sent again before becomes pending at once.
    /// </summary>
    Task<RecoveredRows> RecoverAsync(string owner, OnUncertain onUncertain, DateTimeOffset now, CancellationToken cancel);

    /// <summary>
    /// Carries out an editor's decision on the next rows of a mailing that are in the state the decision is about, in one transaction. Rows
    /// that become pending reopen a mailing that was sent; in a cancelled one none does, and a subscriber who has left is left as the row is.
    /// </summary>
    Task<DecidedRows> DecideAsync(DecisionPortion portion, CancellationToken cancel);
}

/// <summary>Who claims, and until when.</summary>
/// <param name="Owner">Names one process for its lifetime: machine, process and a random part.</param>
/// <param name="Now">The time of the claim.</param>
/// <param name="LeaseUntil">When others may take the rows over.</param>
public sealed record Claimant(string Owner, DateTimeOffset Now, DateTimeOffset LeaseUntil);

/// <summary>An owner of claimed rows.</summary>
/// <param name="Owner">The owner.</param>
/// <param name="LeaseUntil">The end of its latest lease.</param>
/// <param name="Rows">How many rows it holds.</param>
public sealed record ClaimHolder(string Owner, DateTimeOffset LeaseUntil, long Rows);

/// <summary>What a recovery changed.</summary>
/// <param name="Released">Rows that were claimed and are pending again.</param>
/// <param name="SentAgain">Rows that were sending, became uncertain, and by the setting are pending again.</param>
/// <param name="Uncertain">Rows that were sending and are uncertain.</param>
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
public sealed record DecidedRows(long Changed, long KeptOut, long? Next);

/// <summary>A change of one row, as <see cref="DeliveryTransitions"/> decided it.</summary>
/// <param name="Id">The row.</param>
/// <param name="Stamp">The claim's stamp.</param>
/// <param name="From">The state the row has to be in.</param>
/// <param name="To">The state it gets.</param>
/// <param name="CountAttempt">Whether this change counts as an attempt.</param>
/// <param name="Reply">The relay's reply or our reason; null keeps what is there.</param>
/// <param name="NextAttemptAt">When a deferred row is due; null otherwise.</param>
/// <param name="At">When the change happened.</param>
public sealed record LedgerWrite(
    DeliveryId Id,
    long Stamp,
    DeliveryState From,
    DeliveryState To,
    bool CountAttempt,
    string? Reply,
    DateTimeOffset? NextAttemptAt,
    DateTimeOffset At);

/// <summary>What became of a change.</summary>
public enum LedgerWriteResult
{
    /// <summary>The row has the new state, durably.</summary>
    Written,

    /// <summary>The row was not ours any more and nothing changed; or the mailing was stopped before the row was begun, which is pending again.</summary>
    Fenced,

    /// <summary>A change to sending found that the subscriber had left; the row is suppressed instead.</summary>
    Suppressed,
}
