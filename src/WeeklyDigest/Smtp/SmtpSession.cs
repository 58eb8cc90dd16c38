using MimeKit;
using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Smtp;

/// <summary>One MailKit connection to a relay that carries many messages, one at a time; reconnects by itself when it was lost.</summary>
/// <param name="relay">The relay.</param>
/// <param name="time">The clock.</param>
public sealed class SmtpSession(RelayOptions relay, TimeProvider time) : IAsyncDisposable
{
    /// <summary>So long after an answer the system is not asked whether the relay has closed: should it have, the message is begun anew.</summary>
    private static readonly TimeSpan JustUsed = TimeSpan.FromMilliseconds(100);

    private readonly string[] _secrets = ReplyText.SecretsOf(relay);
    private long _usedAt;
    private RelayConnection? _connection;
    private RelayException? _trouble;
    private (EmailAddress Address, MailboxAddress? Mailbox)? _sender;

    /// <summary>Opens its connections; what it learns of the relay's addresses is for all sessions that share it.</summary>
    internal RelayConnector Connector { private get; init; } = new(relay, time);

    /// <summary>How often it was connected.</summary>
    public int Openings { get; private set; }

    /// <summary>Whether it is connected, as far as is known.</summary>
    public bool IsOpen => _connection is { IsOpen: true };

    /// <summary>Whether it is connected and the relay has not closed since. Asks the system; only between messages.</summary>
    public bool IsQuiet => _connection is { IsOpen: true, IsQuiet: true };

    /// <summary>Whether the machine that it is connected to lacks SMTPUTF8; those behind a relay's name may differ.</summary>
    public bool LacksSmtpUtf8 => _connection is { Abilities.SmtpUtf8: false };

    /// <summary>Connects and logs in when that is not done yet.</summary>
    /// <param name="cancel">Gives up.</param>
    /// <returns>What the relay announced.</returns>
    /// <exception cref="RelayException">The relay cannot be used; or <see cref="Send"/> found so since the last call, and this tells why.</exception>
    public async ValueTask<RelayAbilities> OpenAsync(CancellationToken cancel)
    {
        if (_trouble is { } known)
        {
            // Told once; the call after that tries anew.
            _trouble = null;
            throw known;
        }
        cancel.ThrowIfCancellationRequested();
        if (TakeUnfit(null) is { } unfit) await unfit.DisposeAsync();
        return (_connection ?? Opened(await Connector.OpenAsync(cancel))).Abilities;
    }

    /// <summary>
    /// Hands one message over; blocks until the relay has answered. Never throws for what it answers; a recipient's address that it cannot carry is
    /// rejected without being tried.
    /// </summary>
    /// <param name="message">The message, composed for what <see cref="OpenAsync"/> returned.</param>
    /// <param name="sender">Envelope sender.</param>
    /// <param name="recipient">Envelope recipient.</param>
    /// <param name="cancel">Gives up waiting; before the message was handed over the outcome is NotStarted, afterwards Unknown.</param>
    public SendOutcome Send(ComposedMessage message, EmailAddress sender, EmailAddress recipient, CancellationToken cancel)
    {
        if (WireAddress.ToMailbox(recipient) is not { } to) return Unsendable("The address cannot be written in an SMTP command.");
        if (SenderOf(sender) is not { } from) return NotStarted(new RelayException($"The sender {sender} cannot be written in an SMTP command. Check Newsletter:From.", isTransient: false));
        try
        {
            return Deliver(message, from, to, cancel);
        }
        catch (RelayException trouble)
        {
            return NotStarted(trouble);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return new SendOutcome(SendResult.NotStarted, "Stopped before anything was sent.");
        }
    }

    /// <summary>Takes what the relay said of the sender for trouble of its own, which the next <see cref="OpenAsync"/> tells: no recipient's attempt is counted.</summary>
    public SendOutcome Blame(SendOutcome ofSender) => NotStarted(RelayFailure.Sending(relay, DialogueStage.Sender, RelayTrouble.Transient, ofSender.Reply));

    /// <summary>What the relay said of the sender was no trouble of its own: the next <see cref="OpenAsync"/> does not tell it.</summary>
    public void Forgive() => _trouble = null;

    /// <summary>Says QUIT, waiting at most a second, and closes; blocks until then.</summary>
    public void Quit()
    {
        _connection?.Quit();
        _connection = null;
    }

    /// <summary>As <see cref="Quit"/>, on a thread of the pool.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_connection is { } open) await open.DisposeAsync();
        _connection = null;
    }

    private SendOutcome Deliver(ComposedMessage message, MailboxAddress sender, MailboxAddress recipient, CancellationToken cancel)
    {
        for (var again = false; ; again = true)
        {
            var connection = Connection(message, cancel);
            if (Misfit(message, connection.Abilities) is { } misfit) return misfit;
            var attempt = TrySend(connection, message, sender, recipient, cancel);
            // The relay gave up an idle or aged connection in the instant we took it up again: nothing has been said about this message.
            var wasClosing = connection.Messages > 1 && attempt is { Stage: DialogueStage.Sender, Code: ReplyPolicy.Lost or 421 };
            if (again || !wasClosing || cancel.IsCancellationRequested) return Outcome(attempt, cancel);
        }
    }

    // The same one message after message.
    private MailboxAddress? SenderOf(EmailAddress address)
    {
        if (_sender is not { } known || known.Address != address) _sender = known = (address, WireAddress.ToMailbox(address));
        return known.Mailbox;
    }

    private SendOutcome NotStarted(RelayException trouble)
    {
        _trouble = trouble;
        return new SendOutcome(SendResult.NotStarted, ReplyText.Clean(trouble.Message));
    }

    // The connection was there a moment ago: that another is opened here is rare.
    private RelayConnection Connection(ComposedMessage message, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        TakeUnfit(message)?.Quit();
        return _connection ?? Reopened(cancel);
    }

    private RelayConnection Reopened(CancellationToken cancel)
    {
        var opening = Task.Run(() => Connector.OpenAsync(cancel), CancellationToken.None);
        OwnThread.Wait(opening, CancellationToken.None);
        return Opened(opening.GetAwaiter().GetResult());
    }

    private RelayConnection Opened(RelayConnection connection)
    {
        Openings++;
        return _connection = connection;
    }

    // One that cannot carry the message, or the next one; to be closed.
    private RelayConnection? TakeUnfit(ComposedMessage? message)
    {
        if (_connection is not { } open || CanCarry(open, message)) return null;
        _connection = null;
        return open;
    }

    // Whether the relay closed while nobody looked is asked when opening; should it close just after that, the message is begun anew.
    private bool CanCarry(RelayConnection open, ComposedMessage? message)
        => open.IsOpen && HasRoom(open) && (message is { } one ? open.Suits(one) : IsJustUsed(open) || open.IsQuiet);

    private bool IsJustUsed(RelayConnection open) => open.Messages > 0 && time.GetElapsedTime(_usedAt) < JustUsed;

    private bool HasRoom(RelayConnection open) => relay.MessagesPerConnection <= 0 || open.Messages < relay.MessagesPerConnection;

    private SendAttempt TrySend(RelayConnection connection, ComposedMessage message, MailboxAddress sender, MailboxAddress recipient, CancellationToken cancel)
    {
        var attempt = connection.Send(message, sender, recipient, cancel);
        _usedAt = time.GetTimestamp();
        if (attempt.Code is ReplyPolicy.Lost or 421)
        {
            _connection = null;
            connection.Close();
        }
        return attempt;
    }

    private SendOutcome Outcome(SendAttempt attempt, CancellationToken cancel)
    {
        var reply = ReplyText.WithoutSecrets(attempt.Reply, _secrets);
        if (attempt.Judgement.Result != SendResult.Accepted && attempt.Code == ReplyPolicy.Lost && cancel.IsCancellationRequested)
        {
            return attempt.Stage == DialogueStage.FinalDot
                ? new SendOutcome(SendResult.Unknown, "Stopped while the relay's answer was awaited.")
                : new SendOutcome(SendResult.NotStarted, "Stopped before the message was handed over.");
        }
        if (attempt.Judgement.Trouble != RelayTrouble.None)
            _trouble = RelayFailure.Sending(relay, attempt.Stage, attempt.Judgement.Trouble, attempt.Reply);
        return new SendOutcome(attempt.Judgement.Result, reply)
        {
            Refusal = attempt.Judgement.Refusal,
            SlowDown = attempt.Judgement.SlowDown,
            OfSender = attempt.Stage == DialogueStage.Sender && attempt.Judgement.Result == SendResult.Deferred,
        };
    }

    private static SendOutcome Unsendable(string why) => new(SendResult.Rejected, why) { Refusal = Refusal.Other, IsOurs = true };

    private SendOutcome? Misfit(ComposedMessage message, RelayAbilities abilities)
    {
        if (message.Utf8Headers && !abilities.SmtpUtf8)
            return Unsendable("The address has letters beyond ASCII before the @, which no relay of the settings carries (none has SMTPUTF8).");
        // After a reconnection the relay may announce less than the message was composed for.
        return message.EightBit && !abilities.EightBitMime
            ? new SendOutcome(SendResult.NotStarted, $"Relay '{relay.Name}' no longer announces 8BITMIME; the message has to be composed anew.")
            : null;
    }
}
