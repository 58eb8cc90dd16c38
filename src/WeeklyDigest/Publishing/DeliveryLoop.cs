using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>
/// What one connection does: take a delivery, commit its sending mark and compose meanwhile, hand it over, and submit the outcome together with the
/// next delivery's mark. At most one row of this loop is in state sending at any time.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="feed">Where deliveries come from.</param>
/// <param name="standIn">Called when this loop waits so long for an answer that another has to go on in its place; it ends then.</param>
internal sealed class DeliveryLoop(RunParts run, ClaimFeed feed, Action standIn)
{
    private static readonly TimeSpan LeaseLook = TimeSpan.FromMilliseconds(250);
    private readonly List<LedgerWrite> unwritten = [];
    private readonly MessageBuffer buffer = new();
    private readonly Handovers.Note note = run.Owner.TakeNote();

    /// <summary>Runs until the feed is over, the run stops, or another loop has gone on in this one's place.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (await feed.WaitAsync(run.Stop.Token) && await TakeTurnAsync())
            {
            }
        }
        finally
        {
            // Else the ledger does not know what the note says: it stays for the next process.
            if (unwritten.Count == 0) run.Owner.Return(note);
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
        while (!session.HasStandIn && !(session.HadItsTurn && run.Sessions.HasWaiters) && await ReadyAsync(session) && feed.TryTake(session.MayCarryUtf8, out var taken))
        {
            var result = default((SendOutcome? Outcome, bool GoesOn));
            try
            {
                result = await DeliverAsync(session, taken);
            }
            finally
            {
                feed.Leave(taken, result.Outcome);
            }
            if (!result.GoesOn) break;
        }
        await WriteAsync();
    }

    /// <summary>Delivers one.</summary>
    /// <returns>What became of it, null when it was not handed over; and whether the relay can take another.</returns>
    private async Task<(SendOutcome? Outcome, bool GoesOn)> DeliverAsync(PooledSession session, TakenDelivery taken)
    {
        var delivery = taken.Delivery;
        if (feed.IsStopped(delivery))
        {
            GiveBack(delivery, DeliveryState.Claimed);
            return (null, true);
        }
        if (await AbilitiesAsync(session, delivery) is not { } abilities) return (null, false);
        var marking = MarkAsync(delivery);
        // While the mark is on its way to the disk: a signature takes as long, and the processors would have nothing to do.
        var message = run.Composer.Compose(run.Messages.For(delivery.Id, delivery.Recipient), run.Sessions.Common(abilities), buffer);
        if (!await marking || !await StillReadyAsync(session, taken)) return (null, true);
        var outcome = await HandOverAsync(session, delivery, message);
        return (outcome, outcome.Result != SendResult.NotStarted || await OpenAsync(session) is not null);
    }

    /// <summary>Waits until the relay may get one more message, before one is taken: what others could send meanwhile is not held.</summary>
    private async ValueTask<bool> ReadyAsync(PooledSession session)
    {
        try
        {
            if (run.Stop.IsRequested || (session.OpensFirst && await OpenAsync(session) is null)) return false;
            var ready = session.ReadyAsync(run.Stop.Token);
            if (!ready.IsCompleted) await WriteAsync();
            return await ready && !run.Stop.IsRequested;
        }
        catch (OperationCanceledException) when (run.Stop.IsRequested)
        {
            return false;
        }
    }

    /// <summary>
    /// Waits for other places in the rates of the relay and the domain when opening or the mark took so long that the first ones are lost. The row is
    /// marked, and nobody was told of it yet.
    /// </summary>
    /// <returns>False when there is none, or the run stops meanwhile: the delivery is given back.</returns>
    private async ValueTask<bool> StillReadyAsync(PooledSession session, TakenDelivery taken)
    {
        while (await ReadyAsync(session) && run.Lease.IsHeld && feed.Renew(taken) is { } wait)
        {
            if (wait == TimeSpan.Zero) return true;
            await Task.WhenAny(Task.Delay(wait, run.Time, run.Stop.Token));
        }
        GiveBack(taken.Delivery, DeliveryState.Sending);
        return false;
    }

    /// <summary>What the relay announced, or null when it cannot be used, or not for this one; the delivery is then given back, untouched.</summary>
    private async Task<RelayAbilities?> AbilitiesAsync(PooledSession session, Delivery delivery)
    {
        // Opening may have shown that it does not carry such an address, and another relay may: the delivery waits for that one.
        if (await OpenAsync(session) is { } abilities && (session.MayCarryUtf8 || !delivery.Recipient.Address.NeedsSmtpUtf8)) return abilities;
        GiveBack(delivery, DeliveryState.Claimed);
        return null;
    }

    /// <summary>Opens where that is needed, or learns why the last message could not be started. Null: the relay cannot be used now.</summary>
    private async Task<RelayAbilities?> OpenAsync(PooledSession session)
    {
        try
        {
            var opening = session.OpenAsync(run.Stop.Token);
            // Opening may take long; the outcome before must not wait for it.
            if (!opening.IsCompleted) await WriteAsync();
            return await opening;
        }
        catch (RelayException)
        {
            // It rests, or is set aside. The others go on; without any the mailing waits for the editor.
            if (run.Sessions.NoneLeft is { } reasons) run.Stop.RequestPause(reasons);
        }
        catch (OperationCanceledException) when (run.Stop.IsRequested)
        {
        }
        return null;
    }

    /// <summary>Commits the mark, and with it the outcome before. Only after true may the message leave this process.</summary>
    private async Task<bool> MarkAsync(Delivery delivery)
    {
        await LeaseAsync();
        unwritten.Add(DeliveryVerdicts.Begin(delivery, run.Time.GetUtcNow()));
        // Dying before this commit: the row is claimed and is given back. Dying after it: the row is uncertain.
        var mark = await WriteMarkAsync(delivery);
        if (mark == LedgerWriteResult.Written && run.Lease.IsHeld && !run.Stop.IsRequested) return true;
        // Fenced: paused, cancelled or taken over; the ledger ignores the release if the row is not ours any more.
        if (mark != LedgerWriteResult.Suppressed) GiveBack(delivery, mark == LedgerWriteResult.Written ? DeliveryState.Sending : DeliveryState.Claimed);
        return false;
    }

    // A mark that is not waited for any more is written all the same once the ledger can be: it is taken back behind it, for the message never leaves.
    private async Task<LedgerWriteResult> WriteMarkAsync(Delivery delivery)
    {
        try
        {
            return await WriteAsync();
        }
        catch (OperationCanceledException)
        {
            _ = run.Writer.WriteAsync([DeliveryVerdicts.Release(delivery, DeliveryState.Sending, run.Time.GetUtcNow())]);
            throw;
        }
    }

    /// <summary>Hands the message over and notes the outcome for the next commit.</summary>
    private async Task<SendOutcome> HandOverAsync(PooledSession session, Delivery delivery, ComposedMessage message)
    {
        note.Take(delivery, session.Relay.Name);
        var outcome = await session.SendAsync(message with { Leaving = note.Leaving }, run.Messages.Sender, delivery.Recipient.Address, run.Stop.AnswerToken);
        // Dying here: the note tells whoever comes next.
        note.Answer(outcome);
        var now = run.Time.GetUtcNow();
        run.Doubts.Note(session.Relay.Name, outcome.Result, now);
        var writes = run.Verdicts.Of(delivery, outcome, now);
        unwritten.AddRange(run.Refusals.IsEnd(delivery, outcome) ? [writes[0] with { EndsRefusals = true }]
            : outcome.Refusal is Refusal.Address or Refusal.Mailbox ? [writes[0] with { Relay = run.Doubts.StandingOf(session.Relay.Name) }]
            : writes);
        if (run.Refusals.IsStop(delivery, outcome)) feed.StopDomain(delivery.DomainId);
        if (run.Failures.Note(session.Relay.Name, delivery, outcome) is { } reason) run.Doubts.SetAside(session.Relay, reason, run.Stop);
        return outcome;
    }

    private void GiveBack(Delivery delivery, DeliveryState from)
        => unwritten.Add(DeliveryVerdicts.Release(delivery, from, run.Time.GetUtcNow()));

    // Without the lease the rows may be another's already: wait until it is renewed. The run's watch does that.
    private async Task LeaseAsync()
    {
        if (run.Lease.IsHeld) return;
        await WriteAsync();
        while (!run.Lease.IsHeld && !run.Stop.IsRequested) await Task.Delay(LeaseLook, run.Time);
    }

    /// <summary>Makes everything noted durable.</summary>
    /// <returns>What became of the last change.</returns>
    private async Task<LedgerWriteResult> WriteAsync()
    {
        if (unwritten.Count == 0) return LedgerWriteResult.Written;
        LedgerWrite[] writes = [.. unwritten];
        var results = await run.Writer.WriteAsync(writes).WaitAsync(run.Stop.RecordToken);
        unwritten.Clear();
        for (var i = 0; i < writes.Length; i++) Account(writes[i], results[i]);
        return results[^1];
    }

    private void Account(LedgerWrite write, LedgerWriteResult result)
    {
        var to = result == LedgerWriteResult.Suppressed ? DeliveryState.Suppressed : write.To;
        if (result == LedgerWriteResult.Written && write.To == DeliveryState.Sent) run.Tally.Add();
        if (result != LedgerWriteResult.Fenced) run.Meter.Move(write.From, to, 1, write.CountAttempt);
        var isOurs = write.To == DeliveryState.Sending && result != LedgerWriteResult.Suppressed;
        if (!isOurs && write.From != DeliveryState.Uncertain) feed.Done();
    }
}
