namespace WeeklyDigest.Server.Inbox;

/// <summary>
/// Holds a message to the standards while it comes in, line by line: whatever a strict server somewhere would refuse is refused here, where its
/// author can still see it. The first breach is kept as an SMTP reply.
/// </summary>
/// <param name="longestMessage">Octets.</param>
/// <param name="isEightBit">The client declared BODY=8BITMIME (RFC 6152).</param>
/// <param name="isInternational">The client declared SMTPUTF8 (RFC 6531), so that header fields may hold UTF-8.</param>
internal sealed class MessageRules(long longestMessage, bool isEightBit, bool isInternational)
{
    private const int LongestLine = 998;

    private bool isHeader = true;
    private long lines;

    /// <summary>Octets so far.</summary>
    public long Size { get; private set; }

    /// <summary>The reply for the first breach, or null.</summary>
    public string? Breach { get; private set; }

    /// <summary>Looks at the next line.</summary>
    /// <param name="line">With its end, dot unstuffed.</param>
    public void Check(ReadOnlySpan<byte> line)
    {
        lines++;
        Size += line.Length;
        Breach ??= BreachOf(line);
        isHeader &= line.Length > 2;
    }

    private string? BreachOf(ReadOnlySpan<byte> line)
    {
        if (Size > longestMessage)
        {
            return $"552 5.3.4 Message larger than {longestMessage} octets";
        }

        if (!line.EndsWith("\r\n"u8) || line[..^2].ContainsAny((byte)'\r', (byte)'\0'))
        {
            return line.Length < InboxWire.LongestLine || line.EndsWith("\n"u8)
                ? $"554 5.6.0 Line {lines} holds a bare CR, bare LF or NUL (RFC 5321 section 2.3.8)"
                : TooLong();
        }

        if (line.Length > LongestLine + 2)
        {
            return TooLong();
        }

        if (System.Text.Ascii.IsValid(line))
        {
            return null;
        }

        return isHeader && !isInternational ? $"554 5.6.7 Header line {lines} is not ASCII and SMTPUTF8 was not asked for"
            : !isEightBit ? $"554 5.6.3 Line {lines} is not ASCII and BODY=8BITMIME was not declared"
            : null;
    }

    private string TooLong() => $"554 5.6.0 Line {lines} is longer than {LongestLine} octets (RFC 5321 section 4.5.3.1.6)";
}
