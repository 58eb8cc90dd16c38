namespace WeeklyDigest.Smtp;

/// <summary>Transparency of DATA (RFC 5321 section 4.5.2): a line that begins with a dot gets another one in front.</summary>
internal static class DotStuffing
{
    private static readonly byte[] Dot = [(byte)'.'];

    /// <summary>Writes text that begins at the start of a line and has CRLF line ends.</summary>
    public static void Write(ArraySegment<byte> text, Stream output)
    {
        if (text.AsSpan().StartsWith("."u8)) output.Write(Dot, 0, 1);
        for (int at; (at = text.AsSpan().IndexOf("\r\n."u8)) >= 0; text = text[(at + 2)..])
        {
            output.Write(text.Array!, text.Offset, at + 2);
            output.Write(Dot, 0, 1);
        }
        output.Write(text.Array!, text.Offset, text.Count);
    }
}
