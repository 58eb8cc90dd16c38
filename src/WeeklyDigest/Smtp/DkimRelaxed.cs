using System.Buffers;

namespace WeeklyDigest.Smtp;

/// <summary>The canonicalization "relaxed" of DKIM (RFC 6376 sections 3.4.2 and 3.4.4). Line ends are CRLF.</summary>
internal static class DkimRelaxed
{
    private static readonly SearchValues<byte> WhiteSpace = SearchValues.Create(" \t"u8);

    /// <summary>A body: white space within a line shrinks to one space and vanishes at its end; so do empty lines at the end.</summary>
    /// <param name="body">The body.</param>
    /// <param name="target">Receives it; two octets longer than <paramref name="body"/> is always enough.</param>
    /// <returns>The octets written.</returns>
    public static int Body(ReadOnlySpan<byte> body, Span<byte> target)
    {
        var written = 0;
        // Nearly all of a body stays as it is: it is copied in runs up to the next place that changes. Each kind of place is searched for
        // again only once it has been passed.
        int blank = -1, trailing = -1, tab = -1;
        for (var at = 0; at < body.Length;)
        {
            Seek(body, "  "u8, at, ref blank);
            Seek(body, " \r"u8, at, ref trailing);
            Seek(body, "\t"u8, at, ref tab);
            var change = Math.Min(blank, Math.Min(trailing, tab));
            // A tab after a single space: the space was no place to change by itself.
            if (change > at && change < body.Length && body[change - 1] == ' ') change--;
            body[at..change].CopyTo(target[written..]);
            written += change - at;
            if (change == body.Length) break;
            var end = body[change..].IndexOfAnyExcept(WhiteSpace);
            at = end < 0 ? body.Length : change + end;
            if (at < body.Length && body[at] != '\r') target[written++] = (byte)' ';
        }
        return EndLines(target, written);
    }

    /// <summary>A header field: name in lower case, unfolded, white space shrunk to one space and gone around the colon and at the end.</summary>
    /// <param name="field">The field from its name to the last octet before its final CRLF.</param>
    /// <param name="target">Receives it without a line end; as long as <paramref name="field"/> is enough.</param>
    /// <returns>The octets written.</returns>
    public static int Field(ReadOnlySpan<byte> field, Span<byte> target)
    {
        var colon = field.IndexOf((byte)':');
        System.Text.Ascii.ToLower(field[..colon].TrimEnd(" \t"u8), target, out var written);
        target[written++] = (byte)':';
        var start = written;
        var space = false;
        foreach (var octet in field[(colon + 1)..])
        {
            if (octet is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            {
                space = true;
                continue;
            }
            if (space && written > start) target[written++] = (byte)' ';
            space = false;
            target[written++] = octet;
        }
        return written;
    }

    private static void Seek(ReadOnlySpan<byte> body, ReadOnlySpan<byte> what, int from, ref int found)
    {
        if (found >= from) return;
        var next = body[from..].IndexOf(what);
        found = next < 0 ? body.Length : from + next;
    }

    private static int EndLines(Span<byte> target, int length)
    {
        // A last line without an end of its own.
        if (length > 0 && target[length - 1] == ' ') length--;
        while (target[..length].EndsWith("\r\n"u8)) length -= 2;
        if (length == 0) return 0;
        "\r\n"u8.CopyTo(target[length..]);
        return length + 2;
    }
}
