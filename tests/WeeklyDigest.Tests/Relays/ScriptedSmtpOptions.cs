using System.Security.Cryptography.X509Certificates;

namespace WeeklyDigest.Tests.Relays;

/// <summary>What the server announces in its EHLO reply; STARTTLS and AUTH follow from certificate and user name.</summary>
[Flags]
internal enum SmtpAbilities
{
    None = 0,
    Pipelining = 1,
    EightBitMime = 2,
    Size = 4,
    SmtpUtf8 = 8,
    Chunking = 16,
    EnhancedStatusCodes = 32,
    Modern = Pipelining | EightBitMime | Size | SmtpUtf8 | EnhancedStatusCodes,
}

/// <summary>How a <see cref="ScriptedSmtpServer"/> behaves.</summary>
internal sealed record ScriptedSmtpOptions
{
    /// <summary>0 takes a free one.</summary>
    public int Port { get; init; }

    public SmtpAbilities Abilities { get; init; } = SmtpAbilities.Modern;

    /// <summary>With a certificate STARTTLS is offered, or TLS spoken from the first byte.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>TLS from the first byte.</summary>
    public bool ImplicitTls { get; init; }

    /// <summary>False: the certificate is there, but a man in the middle took STARTTLS out of the EHLO reply.</summary>
    public bool AnnounceStartTls { get; init; } = true;

    /// <summary>With a user name AUTH is announced and required before MAIL.</summary>
    public string Username { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>The mechanisms announced.</summary>
    public string AuthMechanisms { get; init; } = "PLAIN LOGIN";

    /// <summary>Whether RCPT is answered as if MAIL had been accepted.</summary>
    public bool ForgetsRefusedSenders { get; init; }

    /// <summary>Whether accepted messages keep their bytes.</summary>
    public bool KeepBytes { get; init; }

    /// <summary>Whether accepted messages keep a digest of their bytes: for many large messages.</summary>
    public bool KeepDigests { get; init; }

    /// <summary>Decides what happens; null accepts everything.</summary>
    public Func<SmtpMoment, SmtpMove>? Script { get; init; }
}

/// <summary>One recipient's accepted message.</summary>
/// <param name="Sender">Envelope sender.</param>
/// <param name="Recipient">Envelope recipient, as it came.</param>
/// <param name="MessageId">Message-ID without angle brackets.</param>
/// <param name="Connection">The connection it came over.</param>
/// <param name="Encrypted">Whether it came over TLS.</param>
/// <param name="MailParameters">What stood after the address in MAIL FROM.</param>
/// <param name="Bytes">The message, dots unstuffed; empty unless asked for.</param>
/// <param name="Digest">SHA-256 of the message, dots unstuffed; empty unless asked for.</param>
/// <param name="At">When it was accepted, as a timestamp of the system's clock.</param>
internal sealed record AcceptedMessage(
    string Sender, string Recipient, string MessageId, int Connection, bool Encrypted, string MailParameters, ReadOnlyMemory<byte> Bytes, string Digest, DateTimeOffset At);

/// <summary>A line the client sent outside of a message.</summary>
/// <param name="Connection">The connection.</param>
/// <param name="Encrypted">Whether it came over TLS.</param>
/// <param name="Line">The line, also the answers to AUTH's questions.</param>
internal sealed record ReceivedCommand(int Connection, bool Encrypted, string Line);
