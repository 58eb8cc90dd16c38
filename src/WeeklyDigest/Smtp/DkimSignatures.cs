using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace WeeklyDigest.Smtp;

/// <summary>The signatures of one mailing's messages. Safe for many threads.</summary>
internal sealed class DkimSignatures
{
    /// <summary>
    /// The fields that a reader sees or a program acts on, and there may be one of each (RFC 5322 section 3.6): one more name than there are
    /// fields makes adding a second one break the signature (RFC 6376 section 8.15).
    /// </summary>
    private static readonly string[] Oversigned = ["From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"];

    /// <summary>RFC 8058 section 4 asks for the two that unsubscribe; Gmail counts complaints by a signed Feedback-ID.</summary>
    private static readonly string[] Signed = ["List-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"];

    private static readonly byte[][] Names = [.. Oversigned.Concat(Signed).Select(name => Encoding.ASCII.GetBytes($"\r\n{name}:"))];

    private readonly DkimField[] _fields;
    private readonly int _length;

    /// <summary>Prepares them.</summary>
    public DkimSignatures(string domain, IEnumerable<DkimKey> keys, DateTimeOffset date)
    {
        var signed = string.Join(":\r\n  ", Oversigned.Select(name => $"{name}:{name}").Concat(Signed).Chunk(3).Select(line => string.Join(':', line)));
        _fields = [.. keys.Select(key => new DkimField(domain, key, signed, date))];
        _length = _fields.Sum(field => field.Blank.Bytes.Length);
    }

    /// <summary>Leaves room for the signatures at the beginning of a message.</summary>
    public void Reserve(MessageBuffer buffer)
    {
        foreach (var field in _fields) buffer.Append(field.Blank);
    }

    /// <summary>Signs a message that begins with the room left for that; nothing but that room changes.</summary>
    public void Sign(Span<byte> message)
    {
        var headerEnd = message.IndexOf("\r\n\r\n"u8) + 2;
        var own = _fields.Max(field => field.CanonicalLength);
        var canonical = ArrayPool<byte>.Shared.Rent(Math.Max(message.Length - headerEnd, headerEnd + own) + 2);
        Span<byte> bodyHash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(canonical.AsSpan(0, DkimRelaxed.Body(message[(headerEnd + 2)..], canonical)), bodyHash);
        // The line end before the first field is part of its name's pattern; the last signature's stands there.
        var length = Header(message[(_length - 2)..headerEnd], canonical);
        foreach (var field in _fields)
        {
            field.Fill(message, bodyHash, canonical.AsSpan(0, length + field.CanonicalLength));
            message = message[field.Blank.Bytes.Length..];
        }
        ArrayPool<byte>.Shared.Return(canonical);
    }

    /// <summary>The signed fields, each with its line end, in the order of h=. Each occurs once at most: composed messages repeat none.</summary>
    private static int Header(ReadOnlySpan<byte> header, Span<byte> target)
    {
        var length = 0;
        foreach (var name in Names)
        {
            var start = header.IndexOf(name);
            if (start < 0) continue;
            length += DkimRelaxed.Field(FieldAt(header[(start + 2)..]), target[length..]);
            "\r\n"u8.CopyTo(target[length..]);
            length += 2;
        }
        return length;
    }

    /// <summary>The field that text begins with, without its final CRLF: it ends before a line that does not begin with white space.</summary>
    private static ReadOnlySpan<byte> FieldAt(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf("\r\n"u8);
        while (end + 2 < text.Length && text[end + 2] is (byte)' ' or (byte)'\t')
            end += 2 + text[(end + 2)..].IndexOf("\r\n"u8);
        return text[..end];
    }
}
