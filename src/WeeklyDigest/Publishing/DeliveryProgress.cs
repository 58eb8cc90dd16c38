namespace WeeklyDigest.Publishing;

/// <summary>How far a run is. Immutable; reported about once a second.</summary>
/// <param name="Balance">The ledger's balance, brought up to date with what this process did since it was read. It adds up at any time.</param>
/// <param name="MessagesPerSecond">Attempts per second over the last ten seconds, by all processes that share the mailing.</param>
/// <param name="Remaining">Time until everything that waits now has been tried, at this rate; null when nothing can be said. Deferred rows are not in it.</param>
/// <param name="Notice">What holds the run up ("relay down, next try at ..."), or null.</param>
public sealed record DeliveryProgress(Balance Balance, double MessagesPerSecond, TimeSpan? Remaining, string? Notice)
{
    /// <summary>Set when all that could be sent now is for domains that asked to be left alone for a while: when the first of them is tried again.</summary>
    public DateTimeOffset? WaitsUntil { get; init; }
}

/// <summary>How a run ended.</summary>
/// <param name="State">The mailing's state.</param>
/// <param name="StateReason">Why it is paused, or null.</param>
/// <param name="Balance">The balance.</param>
/// <param name="NextAttemptAt">When the next deferred delivery is due, or null.</param>
public sealed record DeliveryRunResult(MailingState State, string? StateReason, Balance Balance, DateTimeOffset? NextAttemptAt);
