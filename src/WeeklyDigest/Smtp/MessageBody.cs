using System.Text;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Smtp;

/// <summary>The parts of a mailing's messages, in segments, in one transfer encoding.</summary>
/// <param name="Segments">From the last header field, where there has to be one for the encoding, and the empty line after the header block to the closing boundary.</param>
/// <param name="EightBit">Whether any part is 8bit.</param>
internal sealed record MessageBody(Segment[] Segments, bool EightBit)
{
    /// <summary>A line's limit in octets without its CRLF (RFC 5322 section 2.1.1).</summary>
    public const int MaxLine = 998;

    /// <summary>The octets that are the same for everyone.</summary>
    public int Common { get; } = Segments.Sum(segment => segment.Literal?.Bytes.Length ?? 0);

    /// <summary>Encodes both parts (RFC 2046 section 5.1.4: the plain one first, the better one last).</summary>
    /// <param name="content">The content.</param>
    /// <param name="eightBit">Whether a part may be 8bit; if not, all is ASCII.</param>
    public static MessageBody Encode(MessageContent content, bool eightBit)
    {
        List<Segment> segments = [];
        var text = Choose(content.Text, eightBit);
        var html = Choose(content.Html, eightBit);
        var isEightBit = text == Transfer.EightBit || html == Transfer.EightBit;
        // What holds a part of 8bit has to say that it does (RFC 2045 section 6.4).
        AddPart(segments, content.Text, "text/plain", text, content.Boundary, isEightBit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
        AddPart(segments, content.Html, "text/html", html, content.Boundary);
        segments.Add(Fixed($"\r\n--{content.Boundary}--\r\n"));
        return new MessageBody([.. segments], isEightBit);
    }

    private enum Transfer
    {
        SevenBit,
        EightBit,
        QuotedPrintable,
    }

    /// <summary>
    /// A part with slots may turn out non-ASCII for somebody, and its header is the same for all: it is never 7bit. Whether a slot makes a
    /// line too long is seen when the message is composed; then that one message is quoted-printable.
    /// </summary>
    private static Transfer Choose(MergeTemplate template, bool eightBit)
    {
        var literals = template.Parts.Where(part => part.Text is not null).Select(part => Canonical(part.Text!)).ToList();
        if (literals.Any(text => text.Contains('\0', StringComparison.Ordinal) || LongestLine(text) > MaxLine)) return Transfer.QuotedPrintable;
        if (literals.Count == template.Parts.Count && literals.TrueForAll(text => System.Text.Ascii.IsValid(text))) return Transfer.SevenBit;
        return eightBit ? Transfer.EightBit : Transfer.QuotedPrintable;
    }

    private static void AddPart(List<Segment> segments, MergeTemplate template, string type, Transfer transfer, string boundary, string before = "")
    {
        var name = transfer switch { Transfer.SevenBit => "7bit", Transfer.EightBit => "8bit", _ => "quoted-printable" };
        segments.Add(Fixed($"{before}\r\n--{boundary}\r\nContent-Type: {type}; charset=utf-8\r\nContent-Transfer-Encoding: {name}\r\n\r\n"));
        if (transfer == Transfer.QuotedPrintable) AddQuoted(segments, template);
        else segments.AddRange(template.Parts.Select(part => part.Text is null ? Slot(part) : Segment.Of(Encoding.UTF8.GetBytes(Canonical(part.Text)))));
    }

    private static void AddQuoted(List<Segment> segments, MergeTemplate template)
    {
        var atLineStart = true;
        foreach (var part in template.Parts)
        {
            var literal = part.Text is null ? null : Canonical(part.Text);
            var breaks = literal?.StartsWith("\r\n", StringComparison.Ordinal) ?? false;
            if (!atLineStart && !breaks) segments.Add(Segment.Of(QuotedPrintable.SoftBreak.ToArray()));
            segments.Add(literal is null ? QuotedSlot(part) : Segment.Of(QuotedPrintable.Encode(Encoding.UTF8.GetBytes(literal))));
            atLineStart = literal?.EndsWith("\r\n", StringComparison.Ordinal) ?? false;
        }
    }

    private static Segment Slot(MergePart part)
        => Segment.Of((recipient, buffer) => buffer.Append(Value(part, recipient)));

    private static Segment QuotedSlot(MergePart part)
        => Segment.Of((recipient, buffer) => QuotedPrintable.Write(Value(part, recipient), buffer));

    /// <summary>Values hold no control characters; should one, it becomes a space here, so that a value cannot begin a line.</summary>
    private static string Value(MergePart part, MessageRecipient recipient)
        => HeaderText.WithoutControls(recipient.Values.Encoded(part.Slot!, part.Encoding));

    /// <summary>Every kind of line break as CRLF (RFC 2046 section 4.1.1).</summary>
    private static string Canonical(string text)
        => text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Replace("\n", "\r\n", StringComparison.Ordinal);

    private static int LongestLine(string text)
        => text.Split("\r\n").Max(Encoding.UTF8.GetByteCount);

    private static Segment Fixed(string text) => Segment.Of(Encoding.ASCII.GetBytes(text));
}
