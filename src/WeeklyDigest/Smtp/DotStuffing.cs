namespace WeeklyDigest.Smtp;

/// <summary>Transparency of DATA (RFC 5321 section 4.5.2): a line that begins with a dot gets another one in front.</summary>
internal static class DotStuffing
{
    /// <summary>Writes text that begins at the start of a line and has CRLF line ends.</summary>
    public static async ValueTask WriteAsync(ReadOnlyMemory<byte> text, Stream output, CancellationToken cancel)
    {
        if (text.Span.StartsWith("."u8)) await output.WriteAsync(Dot, cancel);
        for (int at; (at = text.Span.IndexOf("\r\n."u8)) >= 0; text = text[(at + 2)..])
        {
            await output.WriteAsync(text[..(at + 2)], cancel);
            await output.WriteAsync(Dot, cancel);
        }
        await output.WriteAsync(text, cancel);
    }

    private static readonly byte[] Dot = "."u8.ToArray();
}
