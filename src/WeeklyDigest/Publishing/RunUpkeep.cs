namespace WeeklyDigest.Publishing;

/// <summary>
/// Beside a run from its first delivery to its last, also while its mailing is paused and answers are awaited: keeps the lease, takes dead processes' rows
/// back, notes what was sent, and gives up what waits too long.
/// </summary>
/// <param name="mailingId">The mailing.</param>
/// <param name="environment">What all runs share.</param>
/// <param name="lease">The lease on the run's rows.</param>
/// <param name="stop">Of the whole run.</param>
internal sealed class RunUpkeep(long mailingId, RunEnvironment environment, ClaimLease lease, RunStop stop)
{
    private static readonly TimeSpan RecoverEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GiveUpEvery = TimeSpan.FromSeconds(15);

    /// <summary>What the clock on the wall says makes nobody give up before a run has gone for so long, or for the time to give up, without an accepted message.</summary>
    private static readonly TimeSpan LeastIdle = TimeSpan.FromHours(1);

    /// <summary>Rows given up in one transaction.</summary>
    private const int GiveUpPortion = 5000;

    private readonly TimeProvider time = environment.Time;
    private readonly SentTally tally = environment.TallyOf(mailingId);
    private readonly long begunAt = environment.Time.GetTimestamp();
    private long gaveUpAt = environment.Time.GetTimestamp();

    /// <summary>Until the run is over.</summary>
    public async Task RunAsync()
    {
        var third = environment.Options.Lease / 3;
        using var timer = new PeriodicTimer(third < RecoverEvery ? third : RecoverEvery, time);
        while (await timer.WaitForNextTickAsync(stop.OverToken))
        {
            if (lease.IsDue) await lease.RenewAsync(stop.OverToken);
            await environment.Recover(stop.OverToken);
            await tally.NoteAsync(stop.OverToken);
            if (time.GetElapsedTime(gaveUpAt) >= GiveUpEvery) await GiveUpAsync();
        }
    }

    // Not after days in which the server was off, nor when its clock jumps: only where it was tried.
    private bool IsIdle
    {
        get
        {
            var least = environment.Options.GiveUpAfter < LeastIdle ? environment.Options.GiveUpAfter : LeastIdle;
            return tally.Idle >= least && time.GetElapsedTime(begunAt) >= least;
        }
    }

    // Rows that were tried give up by their own schedule, with their last attempt.
    private async Task GiveUpAsync()
    {
        gaveUpAt = time.GetTimestamp();
        var now = time.GetUtcNow();
        var reply = $"Gave up: its turn did not come, and nothing of the mailing was accepted any more in {environment.Options.GiveUpAfter:c}, the time to give up.";
        for (var changed = (long)GiveUpPortion; changed == GiveUpPortion && IsIdle;)
        {
            // Very many rows take longer than the lease.
            if (lease.IsDue) await lease.RenewAsync(stop.OverToken);
            changed = await environment.Writer.InTurnAsync(ledger => ledger.GiveUpAsync(
                mailingId, now - environment.Options.GiveUpAfter, reply, GiveUpPortion, now, CancellationToken.None)).WaitAsync(stop.OverToken);
        }
    }
}
