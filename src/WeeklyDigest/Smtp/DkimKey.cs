namespace WeeklyDigest.Smtp;

/// <summary>A private key that signs messages, and the name under which its public half stands in DNS. Safe for many threads.</summary>
/// <param name="selector">The selector (RFC 6376 section 3.1): one or more DNS labels.</param>
public abstract class DkimKey(string selector)
{
    /// <summary>The selector.</summary>
    public string Selector => selector;

    /// <summary>The key's kind as a DNS record names it (tag k=): rsa or ed25519.</summary>
    public abstract string Type { get; }

    /// <summary>Length of the key in bits.</summary>
    public abstract int Bits { get; }

    /// <summary>The public half as a DNS record holds it (tag p=), in base64.</summary>
    public abstract string PublicKey { get; }

    /// <summary>Length of a signature in octets; the same for every message.</summary>
    internal abstract int SignatureLength { get; }

    /// <summary>Signs a SHA-256 hash. Deterministic: the same hash gives the same signature.</summary>
    /// <param name="hash">32 octets.</param>
    /// <param name="signature">Receives <see cref="SignatureLength"/> octets.</param>
    internal abstract void Sign(ReadOnlySpan<byte> hash, Span<byte> signature);
}
