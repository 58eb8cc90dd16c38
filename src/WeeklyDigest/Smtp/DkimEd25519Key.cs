using Org.BouncyCastle.Math.EC.Rfc8032;

namespace WeeklyDigest.Smtp;

/// <summary>
/// ed25519-sha256 (RFC 8463). System.Security.Cryptography of .NET 10 has no Ed25519, so this one comes from BouncyCastle, which MimeKit
/// brings along.
/// </summary>
internal sealed class DkimEd25519Key : DkimKey
{
    /// <summary>Length of a private key in octets (RFC 8032 section 5.1.5).</summary>
    public static readonly int Length = Ed25519.SecretKeySize;

    private readonly byte[] _private;
    private readonly byte[] _public = new byte[Ed25519.PublicKeySize];

    /// <summary>Takes a private key of <see cref="Length"/> octets.</summary>
    public DkimEd25519Key(string selector, byte[] privateKey)
        : base(selector)
    {
        _private = privateKey;
        Ed25519.GeneratePublicKey(_private, 0, _public, 0);
    }

    public override string Type => "ed25519";

    public override int Bits => 256;

    /// <summary>The bare key, unlike RSA's (RFC 8463 section 4).</summary>
    public override string PublicKey => Convert.ToBase64String(_public);

    internal override int SignatureLength => Ed25519.SignatureSize;

    internal override void Sign(ReadOnlySpan<byte> hash, Span<byte> signature)
        => Ed25519.Sign(_private.AsSpan(), _public.AsSpan(), hash, signature);
}
