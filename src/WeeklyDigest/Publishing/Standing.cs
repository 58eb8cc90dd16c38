namespace WeeklyDigest.Publishing;

/// <summary>How a mailing stood when the ledger was read.</summary>
/// <param name="Balance">Its balance.</param>
internal sealed record Standing(Balance Balance)
{
    /// <summary>When the last of the deferred rows is due, or null.</summary>
    public DateTimeOffset? LastAttemptAt { get; init; }

    /// <summary>Rows of stopped domains: they wait for the editor, not for time.</summary>
    public long LeftAlone { get; init; }

    /// <summary>What is left of the domains that are held back.</summary>
    public DomainsLeft HeldBack { get; init; } = DomainsLeft.None;
}

/// <summary>How fast messages may go over the relays that can be used.</summary>
/// <param name="Limit">Messages per second in the long run; infinity without a limit, 0 while no relay can be used.</param>
/// <param name="IsReached">Whether it is this limit that holds messages up.</param>
internal readonly record struct RelaySpeed(double Limit, bool IsReached)
{
    /// <summary>Answers that take so long that others go on in their places, of all mailings of this process; when they come, nobody knows.</summary>
    public int Stalled { get; init; }
}
