using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Storage;

/// <summary>What stands as a delivery's reply when no relay spoke.</summary>
internal static class LedgerReplies
{
    /// <summary>The owner died after the mark, or was not heard of for a lease.</summary>
    public const string OwnerDied = "The program that was sending this ended, or could not reach the database for too long, before the relay's answer was recorded; only the relay knows.";

    /// <summary>The editor decided.</summary>
    public const string Confirmed = "Counted as sent by the editor; the relay's answer was lost.";

    /// <summary>Behind a failure of one that was to be sent again.</summary>
    public const string EarlierCopy = " " + DeliveryVerdicts.EarlierCopy;

    /// <summary>Of a delivery that was passed over for nothing but a bounce.</summary>
    public static readonly string Bounced = WhyNot("bounced", "bounced")!;

    /// <summary>Of an address that was taken once and is none now: another version of the program or of its system read it, or somebody changed the database.</summary>
    /// <param name="address">What stands there.</param>
    /// <param name="problem">Why it is none.</param>
    /// <param name="resent">How often it was sent again before.</param>
    public static string Unreadable(string address, string problem, int resent)
        => $"Not sent: '{address}' in the database is not an address: {problem}.{(resent > 0 ? EarlierCopy : "")}";

    /// <summary>Why a subscriber is not mailed any more; null when all is well.</summary>
    /// <param name="status">The subscriber's status.</param>
    /// <param name="suppressed">Why the address is suppressed, or null.</param>
    public static string? WhyNot(string status, string? suppressed) => (status, suppressed) switch
    {
        ("active", null) => null,
        (_, not null) => $"Not sent: the address is suppressed ({suppressed}).",
        _ => $"Not sent: the subscriber is {status}.",
    };
}
