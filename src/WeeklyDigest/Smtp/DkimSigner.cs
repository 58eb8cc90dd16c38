namespace WeeklyDigest.Smtp;

/// <summary>
/// Signs the messages that leave this installation (RFC 6376; RFC 8463): relaxed/relaxed over the whole body, one signature a key. Safe for
/// many threads; lives as long as the process.
/// </summary>
/// <param name="domain">The domain that answers for them (tag d=): that of From or a parent of it, in ASCII.</param>
/// <param name="keys">At least one key; signatures stand in this order.</param>
public sealed class DkimSigner(string domain, IReadOnlyList<DkimKey> keys)
{
    /// <summary>The domain that answers for the messages.</summary>
    public string Domain => domain;

    /// <summary>The keys.</summary>
    public IReadOnlyList<DkimKey> Keys => keys;

    /// <summary>Whether an address may be signed for: DMARC wants both domains to be of one organization (RFC 7489 section 3.1.1).</summary>
    /// <param name="domain">The signing domain, in lower case.</param>
    /// <param name="fromDomain">The domain of From, in lower case.</param>
    public static bool IsAligned(string domain, string fromDomain)
        => fromDomain == domain || fromDomain.EndsWith("." + domain, StringComparison.Ordinal);

    /// <summary>Prepares the signatures of a mailing.</summary>
    /// <param name="date">The mailing's date: a message sent again is signed with the same octets.</param>
    internal DkimSignatures For(DateTimeOffset date) => new(domain, keys, date);
}
