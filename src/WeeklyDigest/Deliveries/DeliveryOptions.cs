namespace WeeklyDigest.Deliveries;

/// <summary>How deliveries are claimed and tried again. Bound from the settings section <c>Delivery</c>.</summary>
public sealed record DeliveryOptions
{
    /// <summary>Wait before the second attempt. 1 second to 1 day; default 5 minutes.</summary>
    public TimeSpan FirstRetryAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Each further wait is this many times the one before. 1 to 10; default 2.</summary>
    public double RetryFactor { get; init; } = 2;

    /// <summary>No wait is longer. At least <see cref="FirstRetryAfter"/>; default 4 hours.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromHours(4);

    /// <summary>
    /// Counted from the first attempt; after that a deferred delivery fails. One that was never tried is given up when nothing
    /// of its mailing was accepted for so long, from the mailing's start of sending, or from when it was last resumed; and not before whoever sends has
    /// gone for an hour (or for this time, when it is less) without an accepted message. 1 minute to 14 days; default 3 days.
    /// </summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromDays(3);

    /// <summary>What to do with uncertain deliveries: hold them for the editor (default), or send them again with the same Message-ID.</summary>
    public OnUncertain OnUncertain { get; init; } = OnUncertain.Hold;

    /// <summary>How long a claim of another machine's process holds without being renewed; one of a process of this machine holds while that lives. 10 seconds to 1 hour; default 1 minute.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Limits for receiving domains; none by default. Whatever they say, a slow domain gets a quarter of the connections at most, a sixteenth while others wait.</summary>
    public IReadOnlyList<DomainOptions> Domains { get; init; } = [];

    /// <summary>A relay is set aside, or the mailing pauses where there is no other, after so many deliveries in a row over it that were refused (5xx) or whose answer was lost. 1 to 10,000; default 50.</summary>
    public int PauseAfterConsecutiveFailures { get; init; } = 50;
}

/// <summary>What to do with a delivery whose fate is not known.</summary>
public enum OnUncertain
{
    /// <summary>Leave it for the editor; never sends twice.</summary>
    Hold,

    /// <summary>Send it again, byte for byte, with the same Message-ID.</summary>
    Resend,
}
