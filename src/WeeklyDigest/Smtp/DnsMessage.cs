using System.Buffers.Binary;
using System.Text;

namespace WeeklyDigest.Smtp;

/// <summary>What a DNS message says about TXT records.</summary>
/// <param name="Code">Its response code (RFC 1035 section 4.1.1; RFC 2136 section 2.2 has their names).</param>
/// <param name="IsCutOff">Whether it was too long for UDP, so that TCP has to be used.</param>
/// <param name="Texts">The records, the strings of each put together, anything but visible ASCII as a middle dot.</param>
internal sealed record DnsAnswer(int Code, bool IsCutOff, IReadOnlyList<string> Texts);

/// <summary>Writes questions for TXT records and reads their answers (RFC 1035 section 4). An answer may be anybody's: it is read with suspicion.</summary>
internal static class DnsMessage
{
    private const int HeaderLength = 12;
    private const ushort Text = 16;
    private const ushort Internet = 1;

    /// <summary>EDNS (RFC 6891): an answer over UDP may have 1232 octets, which travel unfragmented.</summary>
    private static ReadOnlySpan<byte> Options => [0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0];

    /// <summary>Writes a question that asks for recursion.</summary>
    /// <param name="id">Its number; at random, so that nobody can answer in the server's place.</param>
    /// <param name="name">A name that is one (<see cref="TextRecords.IsName"/>).</param>
    public static byte[] Question(ushort id, string name) => [(byte)(id >> 8), (byte)id, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1, .. Asked(name), .. Options];

    /// <summary>Reads an answer.</summary>
    /// <returns>The answer; null when it is malformed or answers another question.</returns>
    public static DnsAnswer? Read(ReadOnlySpan<byte> message, ushort id, string name)
    {
        var asked = Asked(name);
        if (message.Length < HeaderLength + asked.Length || Number(message) != id || (message[2] & 0xF8) != 0x80 || Number(message[4..]) != 1) return null;
        if (!Ascii.EqualsIgnoreCase(message.Slice(HeaderLength, asked.Length), asked)) return null;
        var texts = new List<string>();
        var rest = message[(HeaderLength + asked.Length)..];
        for (var count = Number(message[6..]); count > 0; count--)
            if (!TakeRecord(ref rest, texts)) return null;
        return new DnsAnswer(message[3] & 0x0F, (message[2] & 0x02) != 0, texts);
    }

    private static byte[] Asked(string name)
        => [.. name.Split('.').SelectMany(label => Encoding.ASCII.GetBytes(label).Prepend((byte)label.Length)), 0, 0, (byte)Text, 0, (byte)Internet];

    /// <summary>Takes a record off the front; its text, if it has one. Who owns it does not matter: a server puts what an alias leads to beside it.</summary>
    private static bool TakeRecord(ref ReadOnlySpan<byte> rest, List<string> texts)
    {
        if (!TakeName(ref rest) || rest.Length < 10) return false;
        var (type, length) = (Number(rest), Number(rest[8..]));
        rest = rest[10..];
        if (rest.Length < length) return false;
        if (type == Text)
        {
            if (Strings(rest[..length]) is not { } text) return false;
            texts.Add(text);
        }
        rest = rest[length..];
        return true;
    }

    // A name ends with an empty label or with a pointer, which need not be followed.
    private static bool TakeName(ref ReadOnlySpan<byte> rest)
    {
        while (rest.Length > 0)
        {
            int length = rest[0];
            var last = length == 0 || length >= 0xC0;
            var taken = length >= 0xC0 ? 2 : length + 1;
            if (rest.Length < taken) return false;
            rest = rest[taken..];
            if (last) return true;
        }
        return false;
    }

    private static string? Strings(ReadOnlySpan<byte> data)
    {
        var text = new StringBuilder(data.Length);
        while (data.Length > 0)
        {
            if (data.Length <= data[0]) return null;
            foreach (var octet in data.Slice(1, data[0])) text.Append(octet is >= 32 and < 127 ? (char)octet : '·');
            data = data[(data[0] + 1)..];
        }
        return text.ToString();
    }

    private static ushort Number(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16BigEndian(bytes);
}
