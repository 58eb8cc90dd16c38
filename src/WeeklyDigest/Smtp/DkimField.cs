using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace WeeklyDigest.Smtp;

/// <summary>
/// A DKIM-Signature field of a mailing (RFC 6376 section 3.5). It is equally long for each of its messages, so that it can be put in front
/// blank, before the message is known, and filled in afterwards.
/// </summary>
internal sealed class DkimField
{
    private const int SignatureLine = 72;
    private const string BodyHashMark = " bh=";

    /// <summary>Length of a SHA-256 hash in base64.</summary>
    private const int HashLength = 44;

    private readonly DkimKey _key;
    private readonly byte[] _canonical;
    private readonly int _canonicalBodyHash;
    private readonly int _bodyHash;
    private readonly int _signature;

    /// <summary>Prepares the field.</summary>
    /// <param name="domain">Tag d=.</param>
    /// <param name="key">The key.</param>
    /// <param name="signed">Tag h=, folded: the names of the signed fields.</param>
    /// <param name="date">Tag t=.</param>
    public DkimField(string domain, DkimKey key, string signed, DateTimeOffset date)
    {
        _key = key;
        var start = string.Create(CultureInfo.InvariantCulture,
            $"DKIM-Signature: v=1; a={key.Type}-sha256; c=relaxed/relaxed;\r\n d={domain}; s={key.Selector};\r\n t={date.ToUnixTimeSeconds()};\r\n h={signed};\r\n{BodyHashMark}");
        var wire = $"{start}{new string('=', HashLength)};\r\n b=";
        _bodyHash = start.Length;
        _signature = wire.Length;
        // For its own signature the field counts with an empty b= and without its line end (section 3.7).
        _canonical = new byte[wire.Length];
        Array.Resize(ref _canonical, DkimRelaxed.Field(Encoding.ASCII.GetBytes(wire), _canonical));
        _canonicalBodyHash = _canonical.AsSpan().LastIndexOf(Encoding.ASCII.GetBytes(BodyHashMark)) + BodyHashMark.Length;
        var blank = Enumerable.Repeat(new string('=', SignatureLine), Base64.GetMaxEncodedToUtf8Length(key.SignatureLength) / SignatureLine)
            .Append(new string('=', Base64.GetMaxEncodedToUtf8Length(key.SignatureLength) % SignatureLine));
        Blank = new Literal(Encoding.ASCII.GetBytes(wire + string.Join("\r\n ", blank.Where(line => line.Length > 0)) + "\r\n"));
    }

    /// <summary>The field as it stands in front until it is filled in.</summary>
    public Literal Blank { get; }

    /// <summary>Octets that <see cref="Fill"/> needs behind the canonical header fields.</summary>
    public int CanonicalLength => _canonical.Length;

    /// <summary>Fills the field in.</summary>
    /// <param name="field">The blank field.</param>
    /// <param name="bodyHash">The hash of the canonical body.</param>
    /// <param name="header">The canonical signed header fields, and room for <see cref="CanonicalLength"/> octets behind them.</param>
    public void Fill(Span<byte> field, ReadOnlySpan<byte> bodyHash, Span<byte> header)
    {
        Base64.EncodeToUtf8(bodyHash, field.Slice(_bodyHash, HashLength), out _, out _);
        var own = header[^_canonical.Length..];
        _canonical.CopyTo(own);
        field.Slice(_bodyHash, HashLength).CopyTo(own[_canonicalBodyHash..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(header, hash);
        Span<byte> signature = stackalloc byte[_key.SignatureLength];
        _key.Sign(hash, signature);
        Span<byte> text = stackalloc byte[Base64.GetMaxEncodedToUtf8Length(signature.Length)];
        Base64.EncodeToUtf8(signature, text, out _, out _);
        for (var at = _signature; text.Length > 0; at += SignatureLine + "\r\n ".Length)
        {
            var line = text[..Math.Min(SignatureLine, text.Length)];
            line.CopyTo(field[at..]);
            text = text[line.Length..];
        }
    }
}
