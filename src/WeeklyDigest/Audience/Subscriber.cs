namespace WeeklyDigest.Audience;

/// <summary>Where a subscriber stands. Only <see cref="Active"/> ones are mailed.</summary>
public enum SubscriberStatus
{
    /// <summary>Signed up, not yet confirmed.</summary>
    Pending,

    /// <summary>Gets every issue.</summary>
    Active,

    /// <summary>Left; comes back only by signing up anew.</summary>
    Unsubscribed,

    /// <summary>The address does not exist or refuses for good.</summary>
    Bounced,

    /// <summary>Marked an issue as spam.</summary>
    Complained,
}

/// <summary>An address with what we know of it.</summary>
/// <param name="Id">The database's key; never reused.</param>
/// <param name="Address">The address, unique in the database.</param>
/// <param name="Name">The name, or null; no control characters, at most 200 characters.</param>
/// <param name="Attributes">Further columns of the list file, by column name, lower case; values without control characters.</param>
/// <param name="Status">Where the subscriber stands.</param>
/// <param name="Lists">The lists the subscriber is a member of, sorted; none for the recipient of a claimed delivery, where nobody asks.</param>
public sealed record Subscriber(
    long Id,
    EmailAddress Address,
    string? Name,
    IReadOnlyDictionary<string, string> Attributes,
    SubscriberStatus Status,
    IReadOnlyList<ListName> Lists)
{
    /// <summary>Why the address must not be mailed, or null. Not filled in for the recipient of a claimed delivery, who is never suppressed.</summary>
    public Suppression? Suppression { get; init; }
}

/// <summary>A subscriber whose address was taken once and is none now: another version of the program or of its system read it, or somebody changed the database.</summary>
/// <param name="Stored">What stands in the database.</param>
/// <param name="Problem">Why that is no address, as a clause for people.</param>
/// <param name="Status">Where the subscriber stands.</param>
public sealed record UnreadableSubscriber(string Stored, string Problem, SubscriberStatus Status);

/// <summary>An address that must never be mailed again, and why. Outlives the subscriber.</summary>
/// <param name="Reason">In one word: unsubscribed, bounced, complained...</param>
/// <param name="Source">Through what it came: a link, a command, a bounce.</param>
/// <param name="At">When.</param>
public sealed record Suppression(string Reason, string Source, DateTimeOffset At);
