using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace WeeklyDigest.Smtp;

/// <summary>rsa-sha256 (RFC 6376 section 3.3.1, RFC 8301), through the system's cryptography.</summary>
internal sealed class DkimRsaKey : DkimKey
{
    /// <summary>The shortest key that receivers accept without reserve (RFC 8301 section 3.2 asks signers for this one).</summary>
    public const int MinBits = 2048;

    /// <summary>The longest key that every verifier has to know (RFC 8301 section 3.2).</summary>
    public const int MaxBits = 4096;

    // .NET promises nothing for two threads in one RSA object; each signature borrows one, so that there are as many as threads at work.
    private readonly ConcurrentBag<RSA> _idle = [];
    private readonly RSAParameters _parameters;

    /// <summary>Takes the private key out of <paramref name="rsa"/>, which stays the caller's.</summary>
    public DkimRsaKey(string selector, RSA rsa)
        : base(selector)
    {
        _parameters = rsa.ExportParameters(includePrivateParameters: true);
        Bits = rsa.KeySize;
        PublicKey = Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo());
    }

    public override string Type => "rsa";

    public override int Bits { get; }

    public override string PublicKey { get; }

    internal override int SignatureLength => (Bits + 7) / 8;

    internal override void Sign(ReadOnlySpan<byte> hash, Span<byte> signature)
    {
        if (!_idle.TryTake(out var rsa)) rsa = RSA.Create(_parameters);
        rsa.SignHash(hash, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        _idle.Add(rsa);
    }
}
