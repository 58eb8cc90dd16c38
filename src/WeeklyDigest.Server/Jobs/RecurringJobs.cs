using Hangfire;
using Hangfire.Storage;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Jobs;

/// <summary>The recurring jobs, written anew from settings at each start: what the storage still has of another version or another schedule goes.</summary>
/// <param name="storage">Where jobs are kept.</param>
/// <param name="jobs">Writes them.</param>
/// <param name="schedule">When the weekly job runs.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class RecurringJobs(JobStorage storage, IRecurringJobManager jobs, ScheduleSettings schedule, TimeProvider time, ILogger<RecurringJobs> log)
{
    /// <summary>A run that was missed while the server was off is caught up for so long; later, an editor decides.</summary>
    public static readonly TimeSpan CatchUp = TimeSpan.FromHours(12);

    /// <summary>Writes them.</summary>
    public void Write()
    {
        using (var connection = storage.GetConnection())
            foreach (var stored in connection.GetRecurringJobs().Where(IsLeftover)) jobs.RemoveIfExists(stored.Id);
        jobs.AddOrUpdate<WeeklyDigestJob>(WeeklyDigestJob.Name, job => job.RunAsync(null, CancellationToken.None), schedule.Cron,
            new RecurringJobOptions { TimeZone = schedule.TimeZone });
        jobs.AddOrUpdate<PreviewJob>(PreviewJob.Name, job => job.RunAsync(null, CancellationToken.None), Cron.Never());
    }

    private bool IsLeftover(RecurringJobDto stored)
    {
        if (stored.Id is not (WeeklyDigestJob.Name or PreviewJob.Name)) return true;
        if (stored.NextExecution is not { } due || time.GetUtcNow().UtcDateTime - due <= CatchUp) return false;
        log.LogWarning("{Job} was due at {Due:yyyy-MM-dd HH:mm} UTC, when the server was off. That is too long ago to catch up: trigger it in the dashboard if it is still wanted", stored.Id, due);
        return true;
    }
}
