namespace WeeklyDigest.Smtp;

/// <summary>Bytes of one message, encoded for what the relay can do.</summary>
/// <param name="Bytes">The whole message, CRLF line ends, no line over 998 octets; not dot-stuffed.</param>
/// <param name="EightBit">Whether it needs 8BITMIME.</param>
/// <param name="Utf8Headers">Whether it needs SMTPUTF8.</param>
public readonly record struct ComposedMessage(ReadOnlyMemory<byte> Bytes, bool EightBit, bool Utf8Headers)
{
    /// <summary>
    /// Asked when the relay has accepted sender and recipient, before anything of the message is said; may block. False: the message is
    /// held back, and the relay forgets what it was told (RSET, RFC 5321 section 4.1.1.5). Null: it goes.
    /// </summary>
    public Func<bool>? MayLeave { get; init; }

    /// <summary>
    /// Called before the end of the message can leave this machine, once; may block. Unless it throws, the bytes are not read any more. If it throws an IOException, the end does not leave and the
    /// connection is closed; with a <see cref="BrokenOffException"/> the message is held back, with another one the attempt has failed.
    /// True: it may have blocked for long, and the relay may not have waited.
    /// </summary>
    public Func<bool>? Leaving { get; init; }
}
