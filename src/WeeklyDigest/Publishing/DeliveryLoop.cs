using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>
/// What one connection does: take a delivery, submit its sending mark, and with it the outcome before; compose, and tell the relay sender and recipient
/// meanwhile; wait for the commit, and only then let the message leave. At most one row of this loop is in state sending at any time.
/// </summary>
internal sealed class DeliveryLoop
{
    private static readonly TimeSpan LeaseLook = TimeSpan.FromMilliseconds(250);

    /// <summary>Whom a relay keeps waiting for so long before it has let us in goes over another one.</summary>
    private static readonly TimeSpan LongOpening = TimeSpan.FromSeconds(5);

    private readonly RunParts run;
    private readonly ClaimFeed feed;
    private readonly Action standIn;
    private readonly LoopWrites writes;
    private readonly Handover handover;
    private readonly MessageBuffer buffer;
    private Task<RelayAbilities?>? slowOpening;
    private bool isFenced;

    /// <summary>A loop that has not begun.</summary>
    /// <param name="run">The run.</param>
    /// <param name="feed">Where deliveries come from.</param>
    /// <param name="buffer">Holds its messages, each until it leaves.</param>
    /// <param name="standIn">Called when this loop waits so long for an answer that another has to go on in its place; it ends then.</param>
    public DeliveryLoop(RunParts run, ClaimFeed feed, MessageBuffer buffer, Action standIn)
    {
        (this.run, this.feed, this.buffer, this.standIn) = (run, feed, buffer, standIn);
        writes = new LoopWrites(run, feed);
        handover = new Handover(run, feed, writes.Note, buffer);
    }

    /// <summary>Runs until the feed is over, the run stops, or another loop has gone on in this one's place.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (await feed.WaitAsync(run.Stop.Token) && await TakeTurnAsync())
            {
            }
        }
        catch (UnwrittenNoteException)
        {
            // The relay is not to blame and the recipient has lost nothing; the run ends with these words.
            await writes.FinishAsync();
            throw;
        }
        finally
        {
            writes.End();
            buffer.Release();
        }
    }

    /// <summary>Sends over one connection until it is another's turn.</summary>
    /// <returns>False when another loop has gone on in this one's place.</returns>
    private async Task<bool> TakeTurnAsync()
    {
        if (await RentAsync() is not { } session) return true;
        try
        {
            await DeliverAsync(session);
            return !session.HasStandIn;
        }
        finally
        {
            await ReturnAsync(session);
        }
    }

    private async Task ReturnAsync(PooledSession session)
    {
        try
        {
            if (slowOpening is { } opening) await opening;
        }
        finally
        {
            slowOpening = null;
            run.Sessions.Return(session);
        }
    }

    /// <summary>A connection that carries what is there; null when there is something else by now.</summary>
    private async Task<PooledSession?> RentAsync()
    {
        if (feed.HasOrdinary) return await run.Sessions.RentAsync(run.Stop.Token, standIn);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(run.Stop.Token);
        var renting = run.Sessions.RentAsync(enough.Token, standIn, forUtf8: true);
        if (!renting.IsCompleted) await Task.WhenAny(renting, feed.WaitForOrdinaryAsync(enough.Token));
        await enough.CancelAsync();
        try
        {
            return await renting;
        }
        catch (OperationCanceledException) when (!run.Stop.IsRequested)
        {
            return null;
        }
    }

    private async Task DeliverAsync(PooledSession session)
    {
        // What led here returns to the thread. The collector of garbage walks the stack of each connection, and hundreds may wait for an answer.
        await Task.Yield();
        while (!session.HasStandIn && !(run.Sessions.HasWaiters && session.HadItsTurn) && await ReadyAsync(session) && feed.TryTake(session.MayCarryUtf8, out var taken))
        {
            var result = default((SendOutcome? Outcome, bool GoesOn));
            var delivering = DeliverAsync(session, taken);
            var isLate = !delivering.IsCompleted;
            try
            {
                result = await delivering;
            }
            finally
            {
                feed.Leave(taken, result.Outcome);
            }
            if (!result.GoesOn) break;
            // Likewise: what comes next would wait on top of what this one went through, opening a connection most likely.
            if (isLate) await Task.Yield();
        }
        await writes.FinishAsync();
    }

    /// <summary>Delivers one.</summary>
    /// <returns>What became of it, null when it was not handed over; and whether the relay can take another.</returns>
    private async ValueTask<(SendOutcome? Outcome, bool GoesOn)> DeliverAsync(PooledSession session, TakenDelivery taken)
    {
        var delivery = taken.Delivery;
        if (feed.IsStopped(delivery))
        {
            writes.GiveBack(delivery, DeliveryState.Claimed);
            return (null, true);
        }
        if (await AbilitiesAsync(session, delivery) is not { } abilities) return (null, false);
        await LeaseAsync();
        // Dying before this is committed: the row is claimed and is given back. Dying after it: the row is as its note says.
        var mark = writes.Mark(delivery, session.Relay.Name);
        // While the mark is on its way to the disk: a signature takes as long, and the processors would have nothing to do.
        var message = run.Composer.Compose(run.Messages.For(delivery.Id, delivery.Recipient), run.Sessions.Common(abilities), buffer);
        // A mailing that was paused or cancelled refuses one mark after the other until the run sees it: the relay is not told of each of these recipients.
        if (isFenced && !await mark.IsSetAsync()) return (null, true);
        SendOutcome? outcome = null;
        while (outcome is null && await StillReadyAsync(session, taken, mark))
        {
            var tried = handover.Try(session, taken, mark, message);
            // Refused before that: what the note says of the message before must not go until that one's outcome is in the ledger.
            if (!await mark.IsSetAsync()) break;
            if (tried.Result != SendResult.HeldBack) outcome = tried;
            else if (handover.Unwritten is { } failure) throw GivenBack(delivery, failure);
        }
        isFenced = mark.IsRefused;
        if (outcome is null) return (null, true);
        Note(session, delivery, outcome);
        return (outcome, outcome.Result != SendResult.NotStarted || await OpenAsync(session) is not null);
    }

    private UnwrittenNoteException GivenBack(Delivery delivery, UnwrittenNoteException failure)
    {
        writes.GiveBack(delivery, DeliveryState.Sending);
        return failure;
    }

    /// <summary>Waits until the relay may get one more message, before one is taken: what others could send meanwhile is not held.</summary>
    private async ValueTask<bool> ReadyAsync(PooledSession session)
    {
        try
        {
            if (run.Stop.IsRequested || (session.OpensFirst && await OpenAsync(session) is null)) return false;
            var ready = session.ReadyAsync(run.Stop.Token);
            if (!ready.IsCompleted) await writes.WriteAsync();
            return await ready && !run.Stop.IsRequested;
        }
        catch (OperationCanceledException) when (run.Stop.IsRequested)
        {
            return false;
        }
    }

    /// <summary>
    /// Waits for other places in the rates of the relay and the domain when opening or the mark took so long that the first ones are lost. The row
    /// may be marked, and nothing of the message has left.
    /// </summary>
    /// <returns>False when there is none, or the run stops meanwhile: the delivery is given back.</returns>
    private async ValueTask<bool> StillReadyAsync(PooledSession session, TakenDelivery taken, SendingMark mark)
    {
        while (await ReadyAsync(session) && run.Lease.IsHeld && feed.Renew(taken) is { } wait)
        {
            if (wait == TimeSpan.Zero) return true;
            await Task.WhenAny(Task.Delay(wait, run.Time, run.Stop.Token));
        }
        if (await mark.IsSetAsync()) writes.GiveBack(taken.Delivery, DeliveryState.Sending);
        return false;
    }

    /// <summary>What the relay announced, or null when it cannot be used, or not for this one; the delivery is then given back, untouched.</summary>
    private async ValueTask<RelayAbilities?> AbilitiesAsync(PooledSession session, Delivery delivery)
    {
        var opening = OpenAsync(session);
        var abilities = opening.IsCompleted ? await opening : await OpenedAsync(session, opening.AsTask());
        // Opening may have shown that it does not carry such an address, and another relay may: the delivery waits for that one.
        if (abilities is not null && (session.MayCarryUtf8 || !delivery.Recipient.Address.NeedsSmtpUtf8)) return abilities;
        writes.GiveBack(delivery, DeliveryState.Claimed);
        return null;
    }

    private async Task<RelayAbilities?> OpenedAsync(PooledSession session, Task<RelayAbilities?> opening)
    {
        if (!await IsSlowAsync(session, opening)) return await opening;
        // No other delivery is taken until it is over.
        slowOpening = opening;
        return null;
    }

    private async Task<bool> IsSlowAsync(PooledSession session, Task opening)
    {
        if (!run.Sessions.HasOther(session.Relay)) return false;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(feed.Over);
        await Task.WhenAny(opening, Task.Delay(LongOpening, run.Time, enough.Token));
        await enough.CancelAsync();
        return !opening.IsCompleted && run.Sessions.HasOther(session.Relay);
    }

    /// <summary>Opens where that is needed, or learns why the last message could not be started. Null: the relay cannot be used now.</summary>
    private async ValueTask<RelayAbilities?> OpenAsync(PooledSession session)
    {
        try
        {
            var opening = session.OpenAsync(feed.Over);
            // Opening may take long; the outcome before must not wait for it.
            if (!opening.IsCompleted) await writes.WriteAsync();
            return await opening;
        }
        catch (RelayException)
        {
            // It rests, or is set aside. The others go on; without any the mailing waits for the editor.
            if (run.Sessions.NoneLeft is { } reasons) run.Stop.RequestPause(reasons);
        }
        catch (OperationCanceledException) when (feed.Over.IsCancellationRequested)
        {
        }
        return null;
    }

    /// <summary>Notes the outcome for the next commit.</summary>
    private void Note(PooledSession session, Delivery delivery, SendOutcome outcome)
    {
        // Dying here: the note tells whoever comes next.
        writes.Note.Answer(outcome);
        var now = run.Time.GetUtcNow();
        if (!outcome.IsOurs) run.Doubts.Note(session.Relay.Name, outcome.Result, now);
        var changes = run.Verdicts.Of(delivery, outcome, now);
        // What was held against a domain or a relay before the mailing was resumed ended with that; an answer that comes late does not begin it again.
        var isLate = run.Stop.IsOver;
        var isStop = !isLate && run.Refusals.IsStop(delivery, outcome);
        writes.Add(isStop ? [changes[0] with { StopsDomain = delivery.DomainId }]
            : run.Refusals.IsEnd(delivery, outcome) ? [changes[0] with { EndsRefusals = true }]
            : outcome.Refusal is Refusal.Address or Refusal.Mailbox ? [changes[0] with { Relay = run.Doubts.StandingOf(session.Relay.Name) }]
            : changes);
        if (isStop) feed.StopDomain(delivery.DomainId);
        if (run.Failures.Note(session.Relay.Name, delivery, outcome) is { } reason && !isLate) run.Doubts.SetAside(session.Relay, reason, run.Stop);
    }

    // Without the lease the rows may be another's already: wait until it is renewed. The run's watch does that.
    private async Task LeaseAsync()
    {
        if (run.Lease.IsHeld) return;
        await writes.WriteAsync();
        while (!run.Lease.IsHeld && !run.Stop.IsRequested) await Task.Delay(LeaseLook, run.Time);
    }
}
