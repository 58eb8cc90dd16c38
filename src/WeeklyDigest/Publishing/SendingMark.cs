using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>A delivery's sending mark on its way to the ledger. Only when it is set may the message leave this process.</summary>
internal sealed class SendingMark(RunParts run, LoopWrites writes, Delivery delivery)
{
    private bool? isSet;

    /// <summary>Whether it is known what became of it, so that nothing has to be waited for.</summary>
    public bool IsKnown => isSet is not null || writes.AreAnswered;

    /// <summary>Whether the message may leave: the mark is set, the claim is held, and the run goes on. Waits, blocking, until that is known.</summary>
    public bool MayGo => (isSet ??= Judge(writes.Wait())) && run.Lease.IsHeld && !run.Stop.IsRequested;

    /// <summary>Waits until it is known whether it is set; when it is not, the delivery is given back, or another's.</summary>
    public async ValueTask<bool> IsSetAsync()
    {
        try
        {
            return isSet ??= Judge(await writes.WriteAsync());
        }
        catch (OperationCanceledException)
        {
            writes.TakeBack(delivery);
            throw;
        }
    }

    private bool Judge(LedgerWriteResult mark)
    {
        // Fenced: paused, cancelled or taken over; the ledger ignores the release if the row is not ours any more.
        if (mark == LedgerWriteResult.Fenced) writes.GiveBack(delivery, DeliveryState.Claimed);
        return mark == LedgerWriteResult.Written;
    }
}
