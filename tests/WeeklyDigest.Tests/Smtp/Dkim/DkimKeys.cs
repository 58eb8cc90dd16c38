using System.Security.Cryptography;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Security;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp.Dkim;

/// <summary>Keys made for this run of the tests, and a locator that knows their public halves in place of DNS.</summary>
internal sealed class DkimKeys : IDkimPublicKeyLocator
{
    public const string Domain = "example.com";

    public static readonly DkimKeys Instance = new();

    private DkimKeys()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        Rsa = new DkimRsaKey("wd1", rsa);
        RsaPem = rsa.ExportPkcs8PrivateKeyPem();
        Ed25519 = new DkimEd25519Key("wd2", RandomNumberGenerator.GetBytes(DkimEd25519Key.Length));
    }

    public DkimKey Rsa { get; }

    public string RsaPem { get; }

    public DkimKey Ed25519 { get; }

    public WeeklyDigest.Smtp.DkimSigner Both => new(Domain, [Rsa, Ed25519]);

    public AsymmetricKeyParameter LocatePublicKey(string methods, string domain, string selector, CancellationToken cancellationToken = default)
        => (domain, selector) switch
        {
            (Domain, "wd1") => PublicKeyFactory.CreateKey(Convert.FromBase64String(Rsa.PublicKey)),
            (Domain, "wd2") => new Ed25519PublicKeyParameters(Convert.FromBase64String(Ed25519.PublicKey)),
            _ => throw new InvalidOperationException($"No key {selector} of {domain}."),
        };

    public Task<AsymmetricKeyParameter> LocatePublicKeyAsync(string methods, string domain, string selector, CancellationToken cancellationToken = default)
        => Task.FromResult(LocatePublicKey(methods, domain, selector, cancellationToken));

    /// <summary>What MimeKit's verifier says of each signature of a message, from the first on.</summary>
    public IReadOnlyList<bool> Verify(byte[] message)
    {
        using var parsed = MimeKit.MimeMessage.Load(new MemoryStream(message));
        var verifier = new DkimVerifier(this);
        return [.. parsed.Headers.Where(header => header.Id == MimeKit.HeaderId.DkimSignature).Select(header => verifier.Verify(parsed, header))];
    }
}
