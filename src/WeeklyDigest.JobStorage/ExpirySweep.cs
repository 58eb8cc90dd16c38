using Hangfire.Server;
using Hangfire.Storage.SQLite.Database;

namespace Hangfire.Storage.SQLite;

/// <summary>Removes what has expired, in transactions so small that nobody waits for them. Several processes may sweep at once.</summary>
/// <param name="database">The database.</param>
/// <param name="options">How often, and the clock.</param>
internal sealed class ExpirySweep(JobDatabase database, SQLiteStorageOptions options) : IBackgroundProcess
{
    private const int RowsOfAStep = 500;

    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);
    private static readonly string[] Steps = ["SweepJobs", "SweepCounters", "SweepSets", "SweepHashes", "SweepLists"];

    /// <inheritdoc/>
    public void Execute(BackgroundProcessContext context)
    {
        Sweep(context.StoppingToken);
        context.Wait(options.JobExpirationCheckInterval);
    }

    /// <summary>Removes all that has expired by now.</summary>
    /// <param name="cancel">Stops between two steps.</param>
    /// <returns>How many rows were removed, not counting what goes with a job.</returns>
    public int Sweep(CancellationToken cancel)
    {
        var now = UnixTime.Now(options.Clock);
        var removed = Steps.Sum(step => Repeat(step, now, cancel));
        if (removed > 0 && options.AutoVacuumSelected == SQLiteStorageOptions.AutoVacuum.INCREMENTAL) database.Shrink();
        return removed;
    }

    private int Repeat(string step, long now, CancellationToken cancel)
    {
        var removed = 0;
        while (!cancel.IsCancellationRequested)
        {
            var rows = database.Write(session => session[step].With("@now", now).With("@count", RowsOfAStep).Run(), mustSurvivePowerFailure: false);
            removed += rows;
            if (rows < RowsOfAStep) break;
            cancel.WaitHandle.WaitOne(Rest);
        }
        return removed;
    }
}
