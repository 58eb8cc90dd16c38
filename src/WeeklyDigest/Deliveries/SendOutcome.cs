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

    /// <summary>We did not let the message leave (<see cref="Smtp.ComposedMessage.MayLeave"/>): nothing follows for anybody.</summary>
    HeldBack,
}

/// <summary>What a refusal for good is about; decides what follows beside the delivery's failure.</summary>
public enum Refusal
{
    /// <summary>There was no refusal.</summary>
    None,

    /// <summary>The address does not exist: it is suppressed at once.</summary>
    Address,

    /// <summary>The mailbox takes nothing now (full, disabled): it is suppressed at the third issue in a row.</summary>
    Mailbox,

    /// <summary>We or the content are not wanted there: an alarm, the domain stops after a row of these, and nobody is suppressed.</summary>
    Policy,

    /// <summary>Anything else: the delivery fails, and that is all.</summary>
    Other,
}

/// <summary>An attempt's result with the relay's words.</summary>
/// <param name="Result">What became of it.</param>
/// <param name="Reply">The relay's reply, or what happened, in one line without control characters, at most 500 characters.</param>
public sealed record SendOutcome(SendResult Result, string Reply)
{
    /// <summary>What a rejection is about. None for every other result, but where a relay refused the sender or a parameter that may be the recipient's matter: what it is about then.</summary>
    public Refusal Refusal { get; init; }

    /// <summary>The relay it came over; null where nobody asks for it.</summary>
    public string? Relay { get; init; }

    /// <summary>Of a deferral, whether the relay said it before it had heard of the recipient (MAIL): others might be told the same.</summary>
    public bool OfSender { get; init; }

    /// <summary>Whether we said it ourselves and did not ask the relay, of which it says nothing.</summary>
    public bool IsOurs { get; init; }

    /// <summary>Whether the receiving domain asks for less at a time (421, 4.7.x).</summary>
    public bool SlowDown { get; init; }
}
