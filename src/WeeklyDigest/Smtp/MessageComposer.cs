namespace WeeklyDigest.Smtp;

/// <summary>
/// Encodes a mailing's content once, then composes each message by splicing the recipient's slots into it. For the same content and
/// recipient the bytes are the same each time: date, boundary and Message-ID are given, nothing is drawn or read. Safe for many threads.
/// </summary>
public sealed class MessageComposer
{
    /// <summary>What header and slots take, in octets; where they take more, the buffer grows.</summary>
    private const int UsualRest = 8 * 1024;

    private readonly Segment[] _headers;
    private readonly Lazy<MessageBody> _eightBit;
    private readonly Lazy<MessageBody> _sevenBit;
    private readonly DkimSignatures? _signatures;
    private readonly bool _senderNeedsUtf8;

    /// <summary>Encodes what all messages share.</summary>
    /// <param name="content">The frozen content.</param>
    /// <param name="signer">Signs each message; null: they go out unsigned.</param>
    /// <exception cref="ArgumentException">The boundary is no boundary (RFC 2046 section 5.1.1), or occurs in the content; or List-ID is malformed.</exception>
    public MessageComposer(MessageContent content, DkimSigner? signer = null)
    {
        CheckBoundary(content);
        _signatures = signer?.For(content.Date);
        _headers = [.. MessageHeaders.Encode(content)];
        _eightBit = new(() => MessageBody.Encode(content, eightBit: true));
        _sevenBit = new(() => MessageBody.Encode(content, eightBit: false));
        _senderNeedsUtf8 = content.From.Address.NeedsSmtpUtf8 || (content.ReplyTo?.Address.NeedsSmtpUtf8 ?? false);
    }

    /// <summary>Whether messages are signed, which takes the processor longer than all else together.</summary>
    public bool Signs => _signatures is not null;

    /// <summary>The message for one recipient, in bytes of its own; deterministic.</summary>
    /// <param name="recipient">What differs.</param>
    /// <param name="abilities">What the relay announced.</param>
    public ComposedMessage Compose(MessageRecipient recipient, RelayAbilities abilities)
    {
        var buffer = new MessageBuffer();
        var message = Compose(recipient, abilities, buffer);
        var own = message with { Bytes = message.Bytes.ToArray() };
        buffer.Release();
        return own;
    }

    /// <summary>The message for one recipient; deterministic.</summary>
    /// <param name="recipient">What differs.</param>
    /// <param name="abilities">What the relay announced.</param>
    /// <param name="buffer">Holds the bytes; they are valid until it is used again or released.</param>
    /// <returns>The message. It needs SMTPUTF8 when an address in it does, whatever the relay announced: the session then rejects it.</returns>
    public ComposedMessage Compose(MessageRecipient recipient, RelayAbilities abilities, MessageBuffer buffer)
    {
        // Of a signed one nobody on the way may have to change a bit (RFC 6376 section 5.3), as who has no 8BITMIME ahead would.
        var eightBit = abilities.EightBitMime && !Signs;
        var body = (eightBit ? _eightBit : _sevenBit).Value;
        if (Splice(recipient, body, buffer) > MessageBody.MaxLine && eightBit)
        {
            body = _sevenBit.Value;
            Splice(recipient, body, buffer);
        }
        _signatures?.Sign(buffer.Bytes);
        return new ComposedMessage(buffer.Written, body.EightBit, _senderNeedsUtf8 || recipient.To.Address.NeedsSmtpUtf8);
    }

    private int Splice(MessageRecipient recipient, MessageBody body, MessageBuffer buffer)
    {
        buffer.Clear(body.Common + UsualRest);
        _signatures?.Reserve(buffer);
        foreach (var segment in _headers) segment.Write(recipient, buffer);
        foreach (var segment in body.Segments) segment.Write(recipient, buffer);
        return buffer.LongestLine;
    }

    private static void CheckBoundary(MessageContent content)
    {
        if (content.Boundary.Length is 0 or > 70 || !content.Boundary.All(c => char.IsAsciiLetterOrDigit(c) || "'()+_,-./:=?".Contains(c, StringComparison.Ordinal)))
            throw new ArgumentException("A boundary has 1 to 70 of the characters of RFC 2046 section 5.1.1.", nameof(content));
        if (content.Text.Parts.Concat(content.Html.Parts).Any(part => part.Text?.Contains("--" + content.Boundary, StringComparison.Ordinal) ?? false))
            throw new ArgumentException("The content contains the boundary.", nameof(content));
    }
}
