namespace WeeklyDigest.Deliveries;

/// <summary>What became of one attempt to hand a message to a relay.</summary>
public enum SendResult
{
    /// <summary>2xx after the final dot.</summary>
    Accepted,

    /// <summary>4xx, or the connection was lost before the final dot: this recipient is tried again later.</summary>
    Deferred,

    /// <summary>5xx for this recipient or message.</summary>
    Rejected,

    /// <summary>The relay itself is not usable (down, login refused, sender refused): nobody's attempt is counted.</summary>
    NotStarted,

    /// <summary>The final dot was sent and no answer came.</summary>
    Unknown,
}

/// <summary>An attempt's result with the relay's words.</summary>
/// <param name="Result">What became of it.</param>
/// <param name="Reply">The relay's reply, or what happened, in one line without control characters, at most 500 characters.</param>
public sealed record SendOutcome(SendResult Result, string Reply);
