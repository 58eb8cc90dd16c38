using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>One connection of the pool while somebody has it: keeps the relay's pace and tells the pool how the relay does.</summary>
internal sealed class PooledSession(RelayState relay, SmtpSession session)
{
    /// <summary>Messages after which a connection is handed on when others wait: often enough to be fair, seldom enough to cost nothing.</summary>
    private const int Turn = 50;

    private int notStarted;
    private int sentThisTurn;

    /// <summary>The relay it belongs to.</summary>
    public RelayState Relay => relay;

    /// <summary>When it was given back, as a timestamp.</summary>
    public long IdleSince { get; set; }

    /// <summary>Whether it has carried enough messages to be handed on.</summary>
    public bool HadItsTurn => sentThisTurn >= Turn;

    /// <summary>Starts a turn.</summary>
    public PooledSession Lent()
    {
        sentThisTurn = 0;
        return this;
    }

    /// <summary>Waits for the relay's pace, then opens when it is not open. Completes at once when neither is needed.</summary>
    /// <exception cref="RelayException">The relay cannot be used; when that may pass, the pool leaves it alone for a while.</exception>
    public Task<RelayAbilities> OpenAsync(CancellationToken cancel)
    {
        var pace = relay.Pace.NextAsync(cancel);
        var opening = pace.IsCompletedSuccessfully ? session.OpenAsync(cancel) : null;
        return opening is { IsCompletedSuccessfully: true } ? opening : OpenSlowlyAsync(pace, opening, cancel);
    }

    /// <summary>Hands one message over.</summary>
    public async Task<SendOutcome> SendAsync(ComposedMessage message, EmailAddress sender, EmailAddress recipient, CancellationToken cancel)
    {
        sentThisTurn++;
        var outcome = await session.SendAsync(message, sender, recipient, cancel);
        Note(outcome);
        return outcome;
    }

    /// <summary>Says goodbye and closes.</summary>
    public async Task CloseAsync() => await session.DisposeAsync();

    private async Task<RelayAbilities> OpenSlowlyAsync(Task pace, Task<RelayAbilities>? opening, CancellationToken cancel)
    {
        try
        {
            await pace;
            return await (opening ?? session.OpenAsync(cancel));
        }
        catch (RelayException failure) when (failure.IsTransient)
        {
            relay.Failed(failure.Message);
            throw;
        }
    }

    // What stopped a message from being started is told by the next opening. Twice without an answer between is trouble in any case.
    private void Note(SendOutcome outcome)
    {
        if (outcome.Result != SendResult.NotStarted)
        {
            notStarted = 0;
            relay.Answered();
        }
        else if (++notStarted > 1)
        {
            relay.Failed(outcome.Reply);
        }
    }
}
