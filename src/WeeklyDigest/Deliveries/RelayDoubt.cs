namespace WeeklyDigest.Deliveries;

/// <summary>When a relay showed a process last that it works.</summary>
/// <param name="Relay">Its name.</param>
public sealed record RelayStanding(string Relay)
{
    /// <summary>When it accepted a message last; the epoch: never yet.</summary>
    public DateTimeOffset AcceptedAt { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>When it accepted one, or put one off, last: that ends a row of refusals, but does not clear a relay of which it was too long.</summary>
    public DateTimeOffset AnsweredAt { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>What is noted later than this was noted before the clock was set back, and so before the relay accepted a message last; the end of time: that is not known.</summary>
    public DateTimeOffset Newest { get; init; } = DateTimeOffset.MaxValue;
}

/// <summary>What the ledger holds against a relay: refusals of addresses and mailboxes since it worked last, of all processes and mailings.</summary>
/// <param name="Relay">Its name.</param>
/// <param name="Refused">How many of them stand.</param>
/// <param name="IsPardoned">Whether others were taken back, so that nothing it says of a recipient counts.</param>
/// <param name="Reply">The last reply of those that stand.</param>
public sealed record RelayDoubt(string Relay, long Refused, bool IsPardoned, string? Reply);

/// <summary>A delivery that failed since a relay refused the address or the mailbox.</summary>
/// <param name="Relay">Its name.</param>
/// <param name="Reply">What it said.</param>
/// <param name="IsAddress">Whether it was about the address, and not about the mailbox; that is not told any more of one that was taken back.</param>
/// <param name="IsPardoned">Whether what followed from it was taken back.</param>
public sealed record RelayRefusal(string Relay, string Reply, bool IsAddress, bool IsPardoned);
