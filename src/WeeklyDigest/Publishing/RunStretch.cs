namespace WeeklyDigest.Publishing;

/// <summary>
/// What a run does until its mailing is paused: claims, sends and watches. When the mailing is resumed while a relay's answer is still awaited, another
/// stretch begins, and the connections of this one that wait finish beside it what they have.
/// </summary>
/// <remarks>
/// All stretches of a run claim as one owner and under one lease, and the ledger gives each row to one claim only. One feed claims at a time. What a connection of
/// an earlier stretch holds is known to that one alone: the others see it in the ledger as held, so the run does not end before it, and nobody sweeps.
/// </remarks>
/// <param name="run">The parts, with a stop of its own.</param>
/// <param name="environment">What all runs share.</param>
/// <param name="callers">Who waits for the run.</param>
/// <param name="end">Knows what is left.</param>
internal sealed class RunStretch(RunParts run, RunEnvironment environment, RunCallers callers, MailingEnd end) : IDisposable
{
    private readonly RunWatch watch = new(run, environment, callers, end);
    private readonly ClaimFeed feed = new(run, end);
    private Task left = end.Before;

    /// <summary>Delivers until all is done, also that of the stretches before, or until the mailing was resumed.</summary>
    /// <returns>The resumed mailing, while connections may still wait for their answers; else null, and nothing is under way.</returns>
    public async Task<Mailing?> RunAsync()
    {
        if (!run.Stop.IsRequested) await watch.CountAsync(run.Stop.Token);
        var claiming = run.Stop.GuardAsync(feed.RunAsync);
        var sending = run.Stop.GuardAsync(new DeliveryCrew(run, feed, run.Stop.GuardAsync).RunAsync);
        left = Task.WhenAll(claiming, sending, end.Before);
        var watching = Task.WhenAll(run.Stop.GuardAsync(watch.ReportAsync), run.Stop.GuardAsync(watch.DoubtAsync));
        await Task.WhenAny(left, watch.Resumed);
        run.Stop.End();
        await Task.WhenAll(left.IsCompleted ? left : claiming, watching);
        return watch.Resumed.IsCompleted ? await watch.Resumed : null;
    }

    /// <summary>Waits, however the stretch ended, for what is under way of it and of those before, takes back what followed from its last refusals, and disposes of it.</summary>
    public async Task FinishAsync()
    {
        using (this)
        {
            await left;
            await watch.PardonAsync(run.Stop.RecordToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        feed.Dispose();
        run.Stop.Dispose();
    }
}
