using System.Globalization;
using System.Net;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;

namespace WeeklyDigest.Smtp;

/// <summary>What an exception of MailKit or of the socket says, as a reply for <see cref="ReplyPolicy"/> and as words for people.</summary>
/// <param name="Code">The reply code, <see cref="ReplyPolicy.Lost"/> or <see cref="ReplyPolicy.NoHandshake"/>.</param>
/// <param name="Text">The server's own words, or what happened.</param>
internal readonly record struct RelayFailure(int Code, string Text)
{
    /// <summary>One line for the ledger.</summary>
    public string Reply => Code is ReplyPolicy.Lost or ReplyPolicy.NoHandshake ? ReplyText.Clean(Text) : ReplyText.Of(Code, Text);

    /// <summary>Reads an exception of a dialogue; null when it is no failure of a relay but a mistake of the program.</summary>
    /// <param name="failure">The exception.</param>
    /// <param name="timedOut">Whether the connection's time limit has struck.</param>
    public static RelayFailure? Of(Exception failure, bool timedOut) => failure switch
    {
        _ when timedOut => new RelayFailure(ReplyPolicy.Lost, "No answer in time."),
        SmtpCommandException command => new RelayFailure((int)command.StatusCode, command.Message),
        ServiceNotAuthenticatedException login => new RelayFailure((int)SmtpStatusCode.AuthenticationRequired, login.Message),
        AuthenticationException { InnerException: SmtpCommandException command } => new RelayFailure((int)command.StatusCode, command.Message),
        AuthenticationException login => new RelayFailure((int)SmtpStatusCode.AuthenticationInvalidCredentials, login.Message),
        // Who stands in front of a relay that restarts accepts connections and drops them.
        SslHandshakeException { InnerException: (IOException or System.Net.Sockets.SocketException) and { Message: var words } } => new RelayFailure(ReplyPolicy.Lost, words),
        SslHandshakeException tls => new RelayFailure(ReplyPolicy.NoHandshake, (tls.InnerException ?? tls).Message),
        // MailKit adds the reply before, which says nothing of why.
        SmtpProtocolException when failure.Message.Contains("unexpectedly disconnected", StringComparison.Ordinal) => new RelayFailure(ReplyPolicy.Lost, "The connection was lost."),
        SmtpProtocolException or IOException or System.Net.Sockets.SocketException or ServiceNotConnectedException
            or ObjectDisposedException or OperationCanceledException => new RelayFailure(ReplyPolicy.Lost, failure.Message),
        _ => null,
    };

    /// <summary>The exception for a connection that could not be opened; null as for <see cref="Of"/>.</summary>
    /// <param name="relay">The relay.</param>
    /// <param name="stage">Where it failed.</param>
    /// <param name="failure">The exception.</param>
    /// <param name="timedOut">Whether the connection's time limit has struck.</param>
    /// <param name="certificate">Why the certificate was refused, or null.</param>
    /// <param name="address">Which of the relay's addresses it is about; null when it has one only, or none answers.</param>
    public static RelayException? Opening(RelayOptions relay, DialogueStage stage, Exception failure, bool timedOut, string? certificate, IPAddress? address = null)
    {
        if (failure is RelayException known) return known;
        if (failure is NotSupportedException)
        {
            return new RelayException(
                $"{Name(relay, address)} does not offer STARTTLS; nothing was sent in clear. Check the port; somebody on the way may be removing it; only a relay on this machine can do with Security 'none'.",
                isTransient: false, failure);
        }
        if (failure is SslHandshakeException && !timedOut) stage = DialogueStage.Tls;
        if (Of(failure, timedOut) is not { } read) return null;
        // Telling a relay that its certificate is refused may fail as well, when it has gone.
        if (stage == DialogueStage.Tls && certificate is not null) read = read with { Code = ReplyPolicy.NoHandshake };
        var reply = ReplyText.WithoutSecrets(certificate is null ? read.Reply : certificate, relay);
        var judgement = timedOut ? new Judgement(Deliveries.SendResult.NotStarted, RelayTrouble.Transient) : ReplyPolicy.Judge(stage, read.Code, read.Text);
        return new RelayException(
            $"{Name(relay, address)} {What(stage, judgement.Trouble)}: {reply.TrimEnd('.')}. {Advice(stage, judgement.Trouble)}",
            judgement.Trouble == RelayTrouble.Transient,
            // An exception of the login may quote what was said there; it is not carried on.
            stage == DialogueStage.Login ? null : failure)
        {
            // A refused login is none: trying it over and over would lock the account.
            MayBeLimit = certificate is null && (judgement.Trouble == RelayTrouble.Transient || stage != DialogueStage.Login),
        };
    }

    /// <summary>The exception for a relay that failed or refused us while a message was being sent.</summary>
    public static RelayException Sending(RelayOptions relay, DialogueStage stage, RelayTrouble trouble, string reply)
    {
        var words = ReplyText.WithoutSecrets(reply, relay).TrimEnd('.');
        if (reply.StartsWith("530", StringComparison.Ordinal))
        {
            var advice = relay.Username.Length == 0 ? "Set its Username and Password." : "Check its Username, Password and Security.";
            return new($"{Name(relay)} wants a login first: {words}. {advice}", isTransient: false);
        }
        // Many servers look at the sender only at RCPT; nothing else that they refuse us there holds for everybody.
        if (stage == DialogueStage.Recipient && trouble == RelayTrouble.Permanent) stage = DialogueStage.Sender;
        return new($"{Name(relay)} {What(stage, trouble)}: {words}. {Advice(stage, trouble)}", trouble == RelayTrouble.Transient);
    }

    private static string Name(RelayOptions relay, IPAddress? address = null)
    {
        var place = string.Create(CultureInfo.InvariantCulture, $"{relay.Host}:{relay.Port}{(address is null ? "" : " at ")}{address}");
        return relay.Name.Length == 0 || relay.Name == relay.Host ? $"Relay {place}" : $"Relay '{relay.Name}' ({place})";
    }

    private static string What(DialogueStage stage, RelayTrouble trouble) => stage switch
    {
        DialogueStage.Connect => "cannot be reached",
        DialogueStage.Tls => trouble == RelayTrouble.Transient ? "did not finish the TLS handshake" : "could not agree on TLS with us",
        DialogueStage.Greeting => "did not greet us",
        DialogueStage.Hello => "did not answer EHLO or STARTTLS",
        DialogueStage.Login => trouble == RelayTrouble.Transient ? "did not let us log in" : "refused the login",
        DialogueStage.Sender => "did not take the sender",
        _ => "broke off",
    };

    private static string Advice(DialogueStage stage, RelayTrouble trouble) => (stage, trouble) switch
    {
        (_, RelayTrouble.Transient) => "A mailing that is being sent tries again by itself.",
        (DialogueStage.Tls, _) => "Check host name, port and the relay's certificate; a private authority belongs into TrustedCertificates.",
        (DialogueStage.Login, _) => "Check user name and password.",
        (DialogueStage.Sender, _) => "Check Newsletter:From and what this login may send.",
        _ => "Ask whoever runs the relay.",
    };
}
