using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Sees that nobody who was deferred waits for longer than the schedule ever says. A clock that was a day ahead for seconds would else have put everybody off by a day
/// whom it met in them, also after it was set right, and for all who send.
/// </summary>
/// <remarks>
/// Only when the clock has gone on without being set for as long as the shortest wait: one that is a day behind after the start, until it is set, would have everybody
/// due whom it was right to put off. A machine whose clock stays ahead finds due at once what others have cut, and puts it off again: so what was cut is not looked at
/// again before the shortest wait is over, and nobody is tried more often than that.
/// </remarks>
/// <param name="writer">Writes the ledger.</param>
/// <param name="options">The waits.</param>
/// <param name="clock">Whether the clock was set.</param>
/// <param name="time">The clock.</param>
internal sealed class FarAttempts(LedgerWriter writer, DeliveryOptions options, ClockSteadiness clock, TimeProvider time)
{
    /// <summary>Rows cut in one transaction.</summary>
    private const int Portion = 5000;

    private long? cutAt;
    private int isLooking;

    /// <summary>Looks once, unless another run is at it.</summary>
    public async Task LookAsync(CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref isLooking, 1) != 0) return;
        try
        {
            if (clock.SteadyFor < options.FirstRetryAfter || (cutAt is { } before && time.GetElapsedTime(before) < options.FirstRetryAfter)) return;
            if (await CutAsync(cancel) > 0) cutAt = time.GetTimestamp();
        }
        finally
        {
            Volatile.Write(ref isLooking, 0);
        }
    }

    private async Task<long> CutAsync(CancellationToken cancel)
    {
        var (all, changed) = (0L, (long)Portion);
        while (changed >= Portion)
        {
            changed = await writer.InTurnAsync(ledger => CutOnceAsync(ledger, cancel)).WaitAsync(cancel);
            all += changed;
        }
        return all;
    }

    // The time is that of the change, not of when its turn was asked for.
    private Task<long> CutOnceAsync(ILedger ledger, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        return ledger.CutWaitsAsync(now + RetrySchedule.LongestOf(options), Portion, now, cancel);
    }
}
