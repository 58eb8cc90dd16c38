using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>The lease of one run on everything it has claimed: renewed after a third of its length; without it nothing is handed over.</summary>
/// <remarks>Its own validity is measured on the monotonic clock: a wall clock that jumps neither ends nor prolongs it.</remarks>
internal sealed class ClaimLease(LedgerWriter writer, string owner, TimeSpan length, TimeProvider time)
{
    private long renewedAt = time.GetTimestamp();

    /// <summary>Whether the rows are certainly still ours.</summary>
    public bool IsHeld => Age < length;

    /// <summary>Whether it is time to renew.</summary>
    public bool IsDue => Age >= length / 3;

    /// <summary>The owner of the run's rows.</summary>
    public string Owner => owner;

    private TimeSpan Age => time.GetElapsedTime(Volatile.Read(ref renewedAt));

    /// <summary>Who claims now, and until when.</summary>
    public Claimant Claimant()
    {
        var now = time.GetUtcNow();
        return new Claimant(owner, now, now + length);
    }

    /// <summary>Prolongs the lease on all rows.</summary>
    public async Task RenewAsync(CancellationToken cancel)
    {
        var asked = time.GetTimestamp();
        await writer.InTurnAsync(async ledger =>
        {
            await ledger.RenewAsync(Claimant(), CancellationToken.None);
            return true;
        }).WaitAsync(cancel);
        Volatile.Write(ref renewedAt, asked);
    }
}
