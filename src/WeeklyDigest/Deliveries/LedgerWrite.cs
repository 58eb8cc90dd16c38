namespace WeeklyDigest.Deliveries;

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
    DateTimeOffset At)
{
    /// <summary>A mailbox that refuses this many issues in a row is suppressed; issues it had no say in do not count.</summary>
    public const int MailboxRefusalsToSuppress = 3;

    /// <summary>
    /// What a change to failed was refused for. Address: the address is suppressed with this write. Mailbox: likewise when the two issues before
    /// were refused so too. Policy: the alarm of the row's domain is raised, and nobody is suppressed.
    /// </summary>
    public Refusal Refusal { get; init; }

    /// <summary>The relay that refused, when that was an address or a mailbox: noted with this write, in case it refuses everybody, and what is older than its last answer is forgotten.</summary>
    public RelayStanding? Relay { get; init; }

    /// <summary>Whether a row of refusals of the row's domain ends here: set for an accepted message where there is such a row, and nowhere else.</summary>
    public bool EndsRefusals { get; init; }

    /// <summary>The row's receiving domain, when this refusal is one too many in a row for the run: the mailing leaves it alone from here on. The ledger, which may have been told of an accepted message in between, does not count then. Else null.</summary>
    public long? StopsDomain { get; init; }
}

/// <summary>What became of a change.</summary>
public enum LedgerWriteResult
{
    /// <summary>The row has the new state, durably.</summary>
    Written,

    /// <summary>The row was not ours any more and nothing changed; or the mailing was stopped, or the subscriber away for a moment, before the row was begun, or its mark renewed, and it is pending again.</summary>
    Fenced,

    /// <summary>A change to sending found that the subscriber had left; the row is suppressed instead.</summary>
    Suppressed,

    /// <summary>The row would wait to be sent again, and the mailing is cancelled or the subscriber has left: it is uncertain, as it was before.</summary>
    Abandoned,
}
