using MailKit.Net.Smtp;
using MimeKit;

namespace WeeklyDigest.Smtp;

/// <summary>MailKit's client, taught to hand over messages that are encoded already and to say how far it got.</summary>
internal sealed class RelayClient : SmtpClient
{
    private readonly EncodedMessage _message = new();
    private readonly Action _begins;
    private readonly Action _seals;
    private RelayStream? _stream;
    private Func<bool>? _mayLeave;

    public RelayClient()
    {
        _begins = () => Stage = DialogueStage.Body;
        _seals = () => _stream!.Seal();
    }

    /// <summary>Where the message's dialogue stands; whether the end has gone out, <see cref="RelayStream.HandedOver"/> knows.</summary>
    public DialogueStage Stage { get; private set; }

    /// <summary>BDAT (RFC 3030) where the relay announces CHUNKING: no dot-stuffing, and one wait for an answer less.</summary>
    protected override bool PreferSendAsBinaryData => true;

    /// <summary>Sends a composed message.</summary>
    /// <returns>The text of the reply to the final dot.</returns>
    /// <exception cref="HeldBackException">It may not leave; the relay was told so.</exception>
    public string Send(ComposedMessage composed, MailboxAddress sender, MailboxAddress recipient, RelayStream stream, CancellationToken cancel)
    {
        var (message, options) = _message.Fill(composed, _begins, _seals);
        stream.Unseal(composed.Leaving);
        (_stream, _mayLeave) = (stream, composed.MayLeave);
        Stage = DialogueStage.Sender;
        return Send(options, message, sender, [recipient], cancel);
    }

    /// <summary>Nothing to prepare: the message is encoded for this relay, and must not change.</summary>
    protected override void Prepare(FormatOptions options, MimeMessage message, EncodingConstraint constraint, int maxLineLength)
    {
    }

    protected override long GetSize(FormatOptions options, MimeMessage message, CancellationToken cancellationToken) => _message.Size;

    protected override void OnSenderAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response)
        => Stage = DialogueStage.Recipient;

    protected override void OnRecipientAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response)
    {
        // With PIPELINING (RFC 2920) a relay answers RCPT also where it has refused MAIL; what it said to MAIL decides.
        if (Stage != DialogueStage.Recipient) return;
        Stage = DialogueStage.Data;
        if (_mayLeave?.Invoke() == false) throw new HeldBackException();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _message.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>
/// We break a message off that the relay has begun to take: its end does not leave, and there is no other way to say so than to close (RFC 5321
/// section 4.1.1.4 knows no command within the data).
/// </summary>
internal sealed class BrokenOffException() : IOException("Broken off.");

/// <summary>We hold a message back whose sender and recipient the relay has accepted. MailKit takes it for a refusal, and says RSET.</summary>
internal sealed class HeldBackException() : SmtpCommandException(SmtpErrorCode.RecipientNotAccepted, SmtpStatusCode.TransactionFailed, "Held back.");
