namespace WeeklyDigest.Smtp;

/// <summary>Bytes of one message, encoded for what the relay can do.</summary>
/// <param name="Bytes">The whole message, CRLF line ends, no line over 998 octets; not dot-stuffed.</param>
/// <param name="EightBit">Whether it needs 8BITMIME.</param>
/// <param name="Utf8Headers">Whether it needs SMTPUTF8.</param>
public sealed record ComposedMessage(ReadOnlyMemory<byte> Bytes, bool EightBit, bool Utf8Headers)
{
    /// <summary>Called before the end of the message can leave this machine, once; if it throws an IOException, the end does not leave.</summary>
    public Action? Leaving { get; init; }
}
