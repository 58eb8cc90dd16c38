using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;

namespace WeeklyDigest.Smtp;

/// <summary>What reading a private key came to: a key, or why there is none.</summary>
/// <param name="Key">The key, or null.</param>
/// <param name="Problem">Why not and what to do, as what follows a setting's name; holds nothing of the file's content. Null when there is a key.</param>
public sealed record DkimKeyReading(DkimKey? Key, string? Problem);

/// <summary>
/// Reads a private key from a PEM file: RSA as PKCS#1 or PKCS#8, Ed25519 as PKCS#8 (RFC 8410). On systems with Unix permissions nobody but
/// its owner may read or change the file.
/// </summary>
public static class DkimKeyFile
{
    private const int MaxLength = 64 * 1024;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    private const string RsaAlgorithm = "1.2.840.113549.1.1.1";
    private const string Ed25519Algorithm = "1.3.101.112";

    /// <summary>The command that makes a key.</summary>
    public static string CommandFor(string path) => $"`openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {path}`";

    /// <summary>Reads a key.</summary>
    /// <param name="selector">Where its public half stands in DNS.</param>
    /// <param name="path">The file.</param>
    public static DkimKeyReading Read(string selector, string path)
    {
        if (Directory.Exists(path)) return No($"{path} is a folder; write the path of the key's file.");
        if (RegularFile.OtherAt(path) is { } other) return No($"{path} is {other}, and no regular file; write the path of the key's file.");
        if (!File.Exists(path)) return No($"there is no file {path}; write the path of a private key, copy it from the machine that has it, or make a new one: {CommandFor(path)}.");
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (Exposed(file) is { } exposed) return No($"{path} {exposed}; run `chmod 600 {path}`.");
            return Text(file) is { } text
                ? Parse(selector, text, path)
                : No($"{path} is larger than any private key; write the path of the key's file.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return No($"{path} cannot be read: {failure.Message.TrimEnd('.')}. Let the user that runs this program own it.");
        }
    }

    private static string? Exposed(FileStream file)
    {
        if (OperatingSystem.IsWindows()) return null;
        var mode = File.GetUnixFileMode(file.SafeFileHandle);
        return (mode & Others) == 0 ? null : $"can be read or changed by others than its owner (its mode is {Convert.ToString((int)mode, 8)})";
    }

    private static string? Text(FileStream file)
    {
        var bytes = new byte[MaxLength + 1];
        var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length > MaxLength ? null : Encoding.Latin1.GetString(bytes, 0, length);
    }

    private static DkimKeyReading Parse(string selector, string text, string path)
    {
        if (text.Contains("BEGIN ENCRYPTED PRIVATE KEY", StringComparison.Ordinal) || text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
            return No($"{path} is encrypted with a passphrase, which nobody is there to type; write the key without one: `openssl pkey -in {path} -out NEW`.");
        string? other = null;
        for (var rest = text.AsSpan(); PemEncoding.TryFind(rest, out var found); rest = rest[found.Location.End..])
        {
            var label = rest[found.Label].ToString();
            if (label is "PRIVATE KEY" or "RSA PRIVATE KEY") return Decode(selector, label, Convert.FromBase64String(rest[found.Base64Data].ToString()), path);
            other ??= label;
        }
        return No(other is null
            ? $"{path} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----); make one: {CommandFor(path)}."
            : $"{path} holds a key or certificate of another kind ({other}); DKIM needs the private key, RSA or Ed25519, as `openssl pkey -in {path} -out NEW` writes it.");
    }

    private static DkimKeyReading Decode(string selector, string label, byte[] der, string path)
    {
        try
        {
            if (label == "RSA PRIVATE KEY") return Rsa(selector, path, rsa => rsa.ImportRSAPrivateKey(der, out _));
            var (algorithm, key) = PrivateKeyInfo(der);
            return algorithm switch
            {
                RsaAlgorithm => Rsa(selector, path, rsa => rsa.ImportPkcs8PrivateKey(der, out _)),
                Ed25519Algorithm => new DkimKeyReading(new DkimEd25519Key(selector, new AsnReader(key, AsnEncodingRules.BER).ReadOctetString()), null),
                _ => No($"{path} holds a key of another kind ({new Oid(algorithm).FriendlyName ?? algorithm}); DKIM knows RSA and Ed25519: {CommandFor(path)}."),
            };
        }
        catch (Exception failure) when (failure is CryptographicException or AsnContentException or ArgumentException)
        {
            return No($"{path} is damaged: its private key cannot be used; restore it, or make a new one: {CommandFor(path)}.");
        }
    }

    private static DkimKeyReading Rsa(string selector, string path, Action<RSA> import)
    {
        using var rsa = RSA.Create();
        import(rsa);
        if (rsa.KeySize < DkimRsaKey.MinBits)
            return No($"{path} is an RSA key of {rsa.KeySize} bits, too short to be trusted (RFC 8301); make one of 2048: {CommandFor(path)}.");
        if (rsa.KeySize > DkimRsaKey.MaxBits)
            return No($"{path} is an RSA key of {rsa.KeySize} bits, which receivers need not know (RFC 8301); make one of 2048: {CommandFor(path)}.");
        var key = new DkimRsaKey(selector, rsa);
        // A key whose parts do not fit together is noticed here and not at the first message.
        Span<byte> signature = stackalloc byte[key.SignatureLength];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        key.Sign(hash, signature);
        return rsa.VerifyHash(hash, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            ? new DkimKeyReading(key, null)
            : throw new CryptographicException();
    }

    // RFC 5208 section 5.
    private static (string Algorithm, byte[] Key) PrivateKeyInfo(byte[] der)
    {
        var info = new AsnReader(der, AsnEncodingRules.BER).ReadSequence();
        info.ReadInteger();
        return (info.ReadSequence().ReadObjectIdentifier(), info.ReadOctetString());
    }

    private static DkimKeyReading No(string problem) => new(null, problem);
}
