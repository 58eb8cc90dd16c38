namespace WeeklyDigest.Publishing;

/// <summary>How far a run is. Immutable; reported about once a second.</summary>
/// <param name="Balance">The ledger's balance, brought up to date with what this process did since it was read. It adds up at any time.</param>
/// <param name="MessagesPerSecond">Recent attempts per second, by all processes that share the mailing; 0 while nothing moves.</param>
/// <param name="Remaining">
/// Time until everything that is open has been tried: at this rate, or at the relays' limits where they are what counts; not before each receiving domain
/// that is held back is through at its own pace, and not before the last deferred row is due. Null when nothing can be said: at the very start, while
/// nothing moves, or while most of what is left is for domains that accept nothing. A row that is deferred once more takes longer.
/// </param>
/// <param name="Notice">What holds the run up ("relay down, next try at ..."), or null.</param>
public sealed record DeliveryProgress(Balance Balance, double MessagesPerSecond, TimeSpan? Remaining, string? Notice)
{
    /// <summary>Set when all that could be sent now is for domains that asked to be left alone for a while: when the first of them is tried again.</summary>
    public DateTimeOffset? WaitsUntil { get; init; }

    /// <summary>The time of day at which <see cref="Remaining"/> is over, or null.</summary>
    public DateTimeOffset? DoneAt { get; init; }

    /// <summary>The mailing's state when it was last looked at.</summary>
    public MailingState State { get; init; } = MailingState.Sending;

    /// <summary>Why it is paused, or null.</summary>
    public string? StateReason { get; init; }

    /// <summary>
    /// Whether nothing more is handed over, by whichever process, for the mailing is paused or cancelled: what is sending waits for its answers. No pace
    /// and no end is told then.
    /// </summary>
    public bool IsHeld => State is MailingState.Paused or MailingState.Cancelled;

    /// <summary>The same, of a mailing in this state.</summary>
    internal DeliveryProgress In(MailingState state, string? reason)
    {
        var told = this with { State = state, StateReason = reason };
        return told.IsHeld ? told with { MessagesPerSecond = 0, Remaining = null, DoneAt = null, WaitsUntil = null } : told;
    }
}

/// <summary>How a run ended.</summary>
/// <param name="State">The mailing's state.</param>
/// <param name="StateReason">Why it is paused, or null.</param>
/// <param name="Balance">The balance.</param>
/// <param name="NextAttemptAt">When the next deferred delivery is due, or null.</param>
public sealed record DeliveryRunResult(MailingState State, string? StateReason, Balance Balance, DateTimeOffset? NextAttemptAt)
{
    /// <summary>When the last of the deferred deliveries is due, or null.</summary>
    public DateTimeOffset? LastAttemptAt { get; init; }

    /// <summary>Whether it had been sent when the run began: by somebody who finished in the moment since the caller looked.</summary>
    public bool WasSent { get; init; }
}
