using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>One connection of the pool while somebody has it: keeps the relay's pace and tells the pool how the relay does.</summary>
internal sealed class PooledSession(SessionPool pool, RelayState relay, SmtpSession session)
{
    /// <summary>Messages after which a connection is handed on when others wait: often enough to be fair, seldom enough to cost nothing.</summary>
    private const int Turn = 50;

    /// <summary>The same at a relay that takes long for each: after the answer to the message that is under way by then. A preview waits for that, behind who waited before it.</summary>
    private static readonly TimeSpan LongTurn = TimeSpan.FromSeconds(2);

    private int notStarted;
    private int sentThisTurn;
    private long lentSince;
    private bool hasShare;
    private Action? standIn;
    private TimeSpan? place;
    private TimeSpan? usedPlace;

    /// <summary>The relay it belongs to.</summary>
    public RelayState Relay => relay;

    /// <summary>When it was given back, as a timestamp.</summary>
    public long IdleSince { get; set; }

    /// <summary>Whether it is to be open before it takes a place, which would be lost otherwise, each time anew.</summary>
    public bool OpensFirst => relay.Pace.IsSlow && sentThisTurn == 0;

    /// <summary>Whether it has carried enough messages, or was lent for long enough, to be handed on.</summary>
    public bool HadItsTurn => sentThisTurn >= Turn || relay.Time.GetElapsedTime(lentSince) >= LongTurn;

    /// <summary>Whether it waited so long for an answer that another connection went on in its place.</summary>
    public bool HasStandIn => Wait.HasStandIn;

    /// <summary>Whether it is lent beyond the relay's connections, in the place of one that waits.</summary>
    public bool IsSpare { get; private set; }

    /// <summary>Whether the connection is there, as far as is known.</summary>
    public bool IsOpen => session.IsOpen;

    /// <summary>Whether it is there and the relay has not closed it. Asks the system; only while nobody has it.</summary>
    public bool IsQuiet => session.IsQuiet;

    /// <summary>Whether it is being opened.</summary>
    public bool IsOpening { get; private set; }

    /// <summary>When opening began, as a timestamp.</summary>
    public long OpeningSince { get; private set; }

    /// <summary>Whether it may take what needs SMTPUTF8.</summary>
    public bool MayCarryUtf8 => pool.MayCarryUtf8(relay);

    /// <summary>Whether the message that it carries may still go in its place in the relay's rate.</summary>
    public bool IsInPlace => usedPlace is not { } used || relay.Pace.IsFresh(used);

    /// <summary>The wait for the answer that it is in, if any.</summary>
    public AnswerWait Wait { get; } = new();

    /// <summary>Starts a turn, with the share of its first message taken.</summary>
    public PooledSession Lent(bool isSpare)
    {
        lentSince = relay.Time.GetTimestamp();
        (sentThisTurn, hasShare, standIn, Wait.HasStandIn, IsSpare) = (0, true, null, false, isSpare);
        return this;
    }

    /// <summary>Says who is to be told when it waits too long for an answer.</summary>
    public PooledSession For(Action? whoStandsIn)
    {
        standIn = whoStandsIn;
        return this;
    }

    /// <summary>Whom to tell that it waits too long for an answer. Once a turn: a message that is held back is handed over again, and may wait once more. Under the pool's lock.</summary>
    public Action? TakeStandIn()
    {
        var told = standIn;
        standIn = null;
        return told;
    }

    /// <summary>
    /// Waits until the relay's rate allows one more message. Completes at once when nothing is to be waited for. The place that it has then is
    /// used at its time or never: asked again later, it waits for another.
    /// </summary>
    /// <returns>False when the connection is to be given back: the relay rests or is set aside, or another one is to get the next messages.</returns>
    public ValueTask<bool> ReadyAsync(CancellationToken cancel)
    {
        if (relay.Refusal is not null) return ValueTask.FromResult(false);
        if (!hasShare && !(hasShare = pool.TryTakeShare(relay))) return ValueTask.FromResult(false);
        if (place is { } kept && relay.Pace.IsFresh(kept)) return ValueTask.FromResult(true);
        place = null;
        var next = relay.Pace.NextAsync(cancel);
        if (!next.IsCompletedSuccessfully) return new ValueTask<bool>(ReadyAfterAsync(next));
        place = next.Result;
        return ValueTask.FromResult(place is not null);
    }

    /// <summary>Opens when it is not open.</summary>
    /// <exception cref="RelayException">The relay cannot be used: the pool leaves it alone for a while, or sets it aside when only somebody can mend that.</exception>
    public ValueTask<RelayAbilities> OpenAsync(CancellationToken cancel)
    {
        var before = session.Openings;
        var opening = session.OpenAsync(cancel);
        // One that opens very fast is done as well by now, and counts all the same.
        return opening.IsCompletedSuccessfully && session.Openings == before ? opening : new(OpenSlowlyAsync(opening));
    }

    /// <summary>Ends a turn.</summary>
    /// <returns>Whether a share was taken and not used, and the place that was.</returns>
    public (bool Share, TimeSpan? Place) EndTurn()
    {
        var unused = (hasShare, place);
        (hasShare, place) = (false, null);
        return unused;
    }

    /// <summary>Hands one message over; blocks until the relay has answered.</summary>
    public SendOutcome Send(ComposedMessage message, EmailAddress sender, EmailAddress recipient, CancellationToken cancel)
    {
        sentThisTurn++;
        (hasShare, place, usedPlace) = (false, null, place);
        relay.Answers.Begin(Wait);
        var row = relay.SenderRefusals.Row;
        var isAsked = true;
        try
        {
            var outcome = session.Send(message, sender, recipient, cancel);
            isAsked = !outcome.IsOurs;
            // A relay that refuses everybody for now is quicker than one that works, and would come to have them all.
            if (outcome.OfSender && pool.Relays.Any(other => other != relay && other.IsUsable)) outcome = session.Blame(outcome);
            if (outcome.Result == SendResult.Accepted) relay.SenderRefusals.Accepted(recipient, row);
            if (outcome.Result == SendResult.Accepted && message.Utf8Headers) relay.Utf8.Accepted();
            // A sender beyond ASCII concerns everybody.
            var lacksUtf8 = outcome is { Result: SendResult.NotStarted, Refusal: Refusal.Other } && recipient.NeedsSmtpUtf8 && !sender.NeedsSmtpUtf8;
            if (outcome is { Result: SendResult.NotStarted, Refusal: not Refusal.None }) outcome = lacksUtf8 ? Lacking(outcome) : Meant(outcome, recipient);
            if (isAsked && outcome.Result != SendResult.HeldBack) Note(outcome);
            lacksUtf8 |= outcome.Result == SendResult.Rejected && message.Utf8Headers && session.LacksSmtpUtf8;
            return lacksUtf8 ? ForAnother(outcome) : outcome;
        }
        finally
        {
            if (isAsked) relay.Answers.End(Wait);
            else relay.Answers.Drop(Wait);
        }
    }

    /// <summary>Waits, blocking, for the mark of the message whose sender and recipient the relay has accepted; the relay is not to blame for that time.</summary>
    /// <returns>Whether the message may go now.</returns>
    public bool WaitFor(SendingMark mark)
    {
        relay.Answers.Suspend(Wait);
        try
        {
            return mark.MayGo();
        }
        finally
        {
            relay.Answers.Resume(Wait);
        }
    }

    /// <summary>Says goodbye and closes.</summary>
    public async Task CloseAsync() => await session.DisposeAsync();

    private async Task<bool> ReadyAfterAsync(ValueTask<TimeSpan?> next)
    {
        place = await next;
        return place is not null && relay.Refusal is null;
    }

    private async Task<RelayAbilities> OpenSlowlyAsync(ValueTask<RelayAbilities> opening)
    {
        OpeningSince = relay.Time.GetTimestamp();
        IsOpening = true;
        try
        {
            var abilities = await opening;
            relay.Utf8.Opened(abilities.SmtpUtf8);
            pool.Opened(relay);
            return abilities;
        }
        catch (RelayException failure)
        {
            IsOpening = false;
            pool.NotOpened(this, failure);
            throw;
        }
        finally
        {
            IsOpening = false;
        }
    }

    // What was said of the sender at RCPT may be the relay's word or the receiving domain's; of a parameter, without such an address, it is the relay's.
    private SendOutcome Meant(SendOutcome refused, EmailAddress recipient)
    {
        var meaning = refused.Refusal == Refusal.Policy ? relay.SenderRefusals.Judge(recipient) : SenderRefusal.Relay;
        if (meaning == SenderRefusal.Relay) return refused with { Refusal = Refusal.None };
        session.Forgive();
        notStarted = 0;
        return meaning == SenderRefusal.Recipient ? refused with { Result = SendResult.Rejected } : refused with { Refusal = Refusal.None };
    }

    // It announced SMTPUTF8 and does not know it in MAIL. The others go without.
    private SendOutcome Lacking(SendOutcome refused)
    {
        session.Forgive();
        relay.Utf8.Refused();
        return refused with { Result = SendResult.Rejected, Reply = ReplyText.Clean($"The address has letters beyond ASCII before the @, which relay '{relay.Name}' does not carry: {refused.Reply}") };
    }

    // The next attempt may fall to a relay that carries such an address, or to a machine of this one: nobody is to be without the issue because of the
    // order of turns. The connection may have been opened anew for the message; nothing has told yet what it lacks.
    private SendOutcome ForAnother(SendOutcome outcome)
    {
        relay.Utf8.Opened(announces: false);
        if (!MayCarryUtf8) return Ours("(no SMTPUTF8); another one may");
        if (!pool.Relays.Any(other => other.Utf8.HasCarried)) return outcome;
        session.Quit();
        return Ours("at the moment (no SMTPUTF8), which it or another one did before");
    }

    private SendOutcome Ours(string words) => new(SendResult.Deferred, $"Relay '{relay.Name}' carries no such address {words}.") { IsOurs = true };

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
