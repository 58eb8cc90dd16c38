namespace WeeklyDigest.Smtp;

/// <summary>Transparency of DATA (RFC 5321 section 4.5.2): a line that begins with a dot gets another one in front.</summary>
internal static class DotStuffing
{
    /// <summary>Writes text that begins at the start of a line and has CRLF line ends.</summary>
    public static void Write(ReadOnlySpan<byte> text, Stream output)
    {
        if (text.StartsWith("."u8)) output.Write("."u8);
        for (int at; (at = text.IndexOf("\r\n."u8)) >= 0; text = text[(at + 2)..])
        {
            output.Write(text[..(at + 2)]);
            output.Write("."u8);
        }
        output.Write(text);
    }
}
