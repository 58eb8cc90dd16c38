using System.ComponentModel;
using Hangfire;
using Hangfire.Server;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>What Hangfire runs at the times of the schedule: it only wakes the ledger's watch, which knows whether there is something to do.</summary>
/// <param name="edge">Where its exceptions end.</param>
/// <param name="watch">Looks.</param>
/// <param name="schedules">The schedule.</param>
/// <param name="time">The clock.</param>
internal sealed class ScheduleJob(JobEdge edge, LedgerWatch watch, IScheduleStore schedules, TimeProvider time)
{
    /// <summary>Name of the recurring job.</summary>
    public const string Name = "weekly-schedule";

    /// <summary>Runs the job.</summary>
    [AutomaticRetry(Attempts = 0), DisplayName(Name)]
    public Task<string> RunAsync(PerformContext? context, CancellationToken cancel) => edge.RunAsync(context, async page =>
    {
        await watch.LookAtScheduleAsync(cancel);
        var schedule = await schedules.FindAsync(cancel);
        return page.Finish(schedule is not null && WeeklySchedule.Next(schedule, time.GetUtcNow()) is { } next
            ? $"Looked what is due. The next time is {WeeklySchedule.Words(schedule, next)}."
            : "Looked what is due. The schedule is off.");
    }, cancel);
}
