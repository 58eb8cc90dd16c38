namespace WeeklyDigest.Smtp;

/// <summary>The TXT record that makes a key's public half known (RFC 6376 section 3.6; RFC 8463 section 4).</summary>
public static class DkimRecord
{
    /// <summary>The record's name, without a final dot.</summary>
    public static string NameOf(string selector, string domain) => $"{selector}._domainkey.{domain}";

    /// <summary>The record's text, to be published as it stands; DNS splits it into strings of at most 255 octets.</summary>
    public static string TextOf(DkimKey key) => $"v=DKIM1; k={key.Type}; p={key.PublicKey}";
}
