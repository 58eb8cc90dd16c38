using System.Buffers;
using System.Text;

namespace WeeklyDigest.Smtp;

/// <summary>Quoted-printable (RFC 2045 section 6.7) for pieces of a text that are encoded one by one and then put side by side.</summary>
/// <remarks>
/// Invariant: every piece starts at the beginning of a line; who puts a piece after one that does not end in a line break puts a
/// <see cref="SoftBreak"/> between them. No line is longer than 76 octets, and no line ends in white space.
/// </remarks>
internal static class QuotedPrintable
{
    /// <summary>A line break that the decoder removes.</summary>
    public static ReadOnlySpan<byte> SoftBreak => "=\r\n"u8;

    private const int MaxLine = 76;

    private static readonly SearchValues<char> Plain = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Where(c => c != '=')]);

    /// <summary>Writes one piece; one that needs no encoding, as most values of recipients, without a detour.</summary>
    public static void Write(string text, MessageBuffer buffer)
    {
        if (text.EndsWith(' ') || text.AsSpan().ContainsAnyExcept(Plain))
        {
            buffer.Append(Encode(Encoding.UTF8.GetBytes(text)));
            return;
        }
        var rest = text.AsSpan();
        for (; rest.Length > MaxLine - 1; rest = rest[(MaxLine - 1)..])
        {
            buffer.Append(rest[..(MaxLine - 1)]);
            buffer.Append(SoftBreak);
        }
        buffer.Append(rest);
    }

    /// <summary>Encodes one piece. CRLF stays a line break; any other control character but the tab is encoded.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> text)
    {
        var output = new ArrayBufferWriter<byte>((text.Length * 5 / 4) + 16);
        var column = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n')
            {
                output.Write("\r\n"u8);
                column = 0;
                i++;
                continue;
            }
            column = EncodeOctet(text[i], EndsLine(text, i), column, output);
        }
        return output.WrittenSpan.ToArray();
    }

    private static int EncodeOctet(byte octet, bool last, int column, ArrayBufferWriter<byte> output)
    {
        var plain = octet is >= 33 and <= 126 and not (byte)'=' || (octet is (byte)' ' or (byte)'\t' && !last);
        var width = plain ? 1 : 3;
        // One column is kept for the "=" of a soft break, needed here or by the piece that follows.
        if (column + width > MaxLine - 1)
        {
            output.Write(SoftBreak);
            column = 0;
        }
        if (plain) output.Write([octet]);
        else output.Write([(byte)'=', Hex(octet >> 4), Hex(octet & 15)]);
        return column + width;
    }

    private static bool EndsLine(ReadOnlySpan<byte> text, int at)
        => at + 1 == text.Length || (text[at + 1] == '\r' && at + 2 < text.Length && text[at + 2] == '\n');

    private static byte Hex(int digit) => (byte)"0123456789ABCDEF"[digit];
}
