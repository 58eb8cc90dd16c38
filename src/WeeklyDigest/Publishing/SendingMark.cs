using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// A delivery's sending mark on its way to the ledger. Only when it is set may the message leave this process, and only soon after it was: what
/// the ledger said of the subscriber and the mailing does not hold for as long as a relay may take to accept a recipient.
/// </summary>
internal sealed class SendingMark(RunParts run, LoopWrites writes, Delivery delivery)
{
    private static readonly TimeSpan Young = TimeSpan.FromMilliseconds(250);

    /// <summary>So long a message may wait for the first renewal and still go in its place; for each further one twice as long, for on a disk that slow each try would lose its place.</summary>
    private static readonly TimeSpan Timely = TimeSpan.FromSeconds(5);

    private DeliveryState from = DeliveryState.Claimed;
    private long submitted = run.Time.GetTimestamp();
    private long allowed;
    private int renewals;
    private bool? isSet;

    /// <summary>Whether it is known what became of it.</summary>
    public bool IsKnown => isSet is not null || writes.AreAnswered;

    /// <summary>Whether the message may still leave on it.</summary>
    public bool IsYoung => run.Time.GetElapsedTime(submitted) < Young;

    /// <summary>Whether it was allowed to leave so long ago that it has to be asked again.</summary>
    public bool IsStale => run.Time.GetElapsedTime(allowed) >= Young;

    /// <summary>Whether its renewal did not take so long that others have used the time of the message's place.</summary>
    public bool IsTimely => run.Time.GetElapsedTime(submitted) < Timely * Math.Pow(2, renewals - 1);

    /// <summary>Whether it is known that it is not set.</summary>
    public bool IsRefused => isSet == false;

    private bool IsSet => isSet ??= Judge(writes.Wait());

    /// <summary>
    /// Whether the message may leave: the mark is set, the claim is held, and the run goes on. Waits, blocking, until that is known; a mark that
    /// has been known for long is renewed, which asks again for the subscriber and the mailing.
    /// </summary>
    public bool MayGo()
    {
        if (IsKnown && !IsYoung && IsSet) Renew();
        var may = IsSet && run.Lease.IsHeld && !run.Stop.IsRequested;
        allowed = run.Time.GetTimestamp();
        return may;
    }

    /// <summary>Waits until it is known whether it is set; when it is not, the delivery is given back, suppressed, or another's.</summary>
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

    private void Renew()
    {
        (from, submitted, isSet, renewals) = (DeliveryState.Sending, run.Time.GetTimestamp(), null, renewals + 1);
        writes.Begin(delivery, from);
    }

    private bool Judge(LedgerWriteResult mark)
    {
        // Fenced: paused, cancelled or taken over; the ledger ignores the release if the row is not ours any more.
        if (mark == LedgerWriteResult.Fenced) writes.GiveBack(delivery, from);
        return mark == LedgerWriteResult.Written;
    }
}
