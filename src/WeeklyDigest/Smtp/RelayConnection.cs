using MailKit.Net.Smtp;
using MimeKit;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Smtp;

/// <summary>What one try at sending came to.</summary>
/// <param name="Stage">Where it ended.</param>
/// <param name="Code">The reply code, or <see cref="ReplyPolicy.Lost"/>.</param>
/// <param name="Reply">The reply, or what happened, in one line.</param>
/// <param name="Judgement">What follows.</param>
internal readonly record struct SendAttempt(DialogueStage Stage, int Code, string Reply, Judgement Judgement);

/// <summary>An open connection to a relay, logged in.</summary>
/// <param name="client">MailKit's client.</param>
/// <param name="stream">The socket beneath it.</param>
/// <param name="lifetime">Ends the connection: by its time limit, or because the caller gave up. Once it has struck, the connection is dead.</param>
internal sealed class RelayConnection(RelayClient client, RelayStream stream, CancellationTokenSource lifetime) : IAsyncDisposable
{
    private bool _hidesUtf8;

    /// <summary>What the relay announced.</summary>
    public RelayAbilities Abilities { get; } = new(
        client.Capabilities.HasFlag(SmtpCapabilities.EightBitMime),
        client.Capabilities.HasFlag(SmtpCapabilities.UTF8 | SmtpCapabilities.EightBitMime));

    /// <summary>When the relay's certificate ends; null without TLS.</summary>
    public DateTimeOffset? CertificateExpires { get; init; }

    /// <summary>Messages sent over this connection, accepted or not.</summary>
    public int Messages { get; private set; }

    /// <summary>Whether another message can be sent, as far as we know.</summary>
    public bool IsOpen => client.IsConnected && !lifetime.IsCancellationRequested;

    /// <summary>Whether the relay has said nothing since its last answer; anything would be that it closes. Asks the system.</summary>
    public bool IsQuiet => stream.IsQuiet;

    /// <summary>Whether this message can go over this connection; after <see cref="HideUtf8"/> one with SMTPUTF8 cannot.</summary>
    public bool Suits(ComposedMessage message) => !message.Utf8Headers || !_hidesUtf8;

    /// <summary>What the relay is like.</summary>
    public RelayReport Report() => new(Abilities, RelayProbe.Extensions(client), client.IsSecure ? client.SslProtocol.ToString() : null, CertificateExpires, client.IsAuthenticated);

    /// <summary>Sends one message; blocks until the relay has answered.</summary>
    public SendAttempt Send(ComposedMessage message, MailboxAddress sender, MailboxAddress recipient, CancellationToken cancel)
    {
        if (!message.Utf8Headers && (sender.IsInternational || recipient.IsInternational)) HideUtf8();
        Messages++;
        using var registration = cancel.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), lifetime);
        try
        {
            var text = client.Send(message, sender, recipient, stream, lifetime.Token);
            return stream.HandedOver
                ? new SendAttempt(DialogueStage.FinalDot, 250, ReplyText.Of(250, text), ReplyPolicy.Judge(DialogueStage.FinalDot, 250, text))
                : Failed(new RelayFailure(ReplyPolicy.Lost, "The relay answered before it had the message."));
        }
        catch (HeldBackException held)
        {
            return new SendAttempt(client.Stage, (int)held.StatusCode, held.Message, new Judgement(SendResult.HeldBack));
        }
        catch (BrokenOffException brokenOff)
        {
            return new SendAttempt(client.Stage, ReplyPolicy.Lost, brokenOff.Message, new Judgement(SendResult.HeldBack));
        }
        catch (Exception failure) when (RelayFailure.Of(failure, TimedOut(failure)) is not null)
        {
            return Failed(RelayFailure.Of(failure, TimedOut(failure))!.Value);
        }
        finally
        {
            stream.Rest();
        }
    }

    /// <summary>Says QUIT, waiting at most a second, and closes; blocks until then.</summary>
    public void Quit()
    {
        if (IsOpen && IsQuiet)
        {
            stream.Leave();
            client.Disconnect(quit: true, lifetime.Token);
        }
        Close();
    }

    /// <summary>As <see cref="Quit"/>, on a thread of the pool.</summary>
    public async ValueTask DisposeAsync() => await Task.Run(Quit);

    /// <summary>Closes without a word.</summary>
    public void Close()
    {
        client.Dispose();
        stream.Dispose();
        lifetime.Dispose();
    }

    private bool TimedOut(Exception failure) => lifetime.IsCancellationRequested && failure is not MailKit.CommandException;

    private SendAttempt Failed(RelayFailure failure)
    {
        // A reply at all is the reply of the stage it came in; without one the question is only whether the end had gone out.
        var stage = stream.HandedOver ? DialogueStage.FinalDot : client.Stage;
        return new SendAttempt(stage, failure.Code, failure.Reply, ReplyPolicy.Judge(stage, failure.Code, failure.Text));
    }

    /// <summary>
    /// MailKit holds domains in Unicode and writes them so wherever the relay knows SMTPUTF8, asking for it in MAIL FROM. A message that does not
    /// need it must not: relays further on may lack it. Without the announcement MailKit writes A-labels.
    /// </summary>
    private void HideUtf8()
    {
        client.Capabilities &= ~SmtpCapabilities.UTF8;
        _hidesUtf8 = Abilities.SmtpUtf8;
    }
}
