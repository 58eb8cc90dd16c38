using Hangfire;
using Hangfire.Storage;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// The recurring jobs, written anew at each start and when the schedule changes: what the storage still has of another version goes. Those that send
/// run when somebody triggers them; the schedule's own shows its times, and wakes the ledger's watch at them. One that is deleted on Hangfire's page
/// is back within a minute, for without it nobody could trigger anything; and a next time that a wrong clock made is put right.
/// </summary>
/// <param name="storage">Where jobs are kept.</param>
/// <param name="jobs">Writes them.</param>
/// <param name="schedule">What is configured.</param>
/// <param name="database">Has the schedule that holds, and words for what is wrong with the storage.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Says what is waited for.</param>
internal sealed class RecurringJobs(
    JobStorage storage, IRecurringJobManager jobs, WeeklySchedule schedule, Database database, TimeProvider time, ILogger<RecurringJobs> log) : BackgroundService
{
    /// <summary>Time between two looks whether they are there and show the right time.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Two clocks that agree, and a time that comes just now.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);
    private static readonly string[] Ours = [WeeklyDigestJob.Name, PreviewJob.Name, ScheduleJob.Name];
    private string? trouble;

    /// <summary>
    /// Takes the schedule over from the settings if they changed, and writes the jobs, before any runs. A server that was killed may have left a lock of one:
    /// it is free again after a minute at most, and waited for.
    /// </summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var current = await schedule.AdoptAsync(cancellationToken);
        // Hangfire waits for a lock for 15 seconds, whatever we say. Who is told to end does not wait for that; writing them twice is as good as once.
        while (!await Task.Run(() => database.UseJobs(PostgresJobs.Schema, () => TryWrite(current)), cancellationToken).WaitAsync(cancellationToken)) cancellationToken.ThrowIfCancellationRequested();
        await base.StartAsync(cancellationToken);
    }

    /// <summary>
    /// Writes them after the schedule was changed. Waits two seconds at most, and goes on with it on the side: what sends is the schedule in the ledger,
    /// which holds already; Hangfire only shows its times.
    /// </summary>
    // Dying here: Hangfire still shows, and wakes us at, the old times; the next start writes the new ones.
    public Task ShowAsync() => Task.WhenAny(Task.Run(WriteWhenFreeAsync), Task.Delay(Patience, time));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await RestoreAsync();
    }

    private async Task RestoreAsync()
    {
        try
        {
            var current = await database.Schedules.FindAsync(CancellationToken.None);
            var there = Stored();
            var missing = Ours.Where(name => !there.ContainsKey(name)).ToList();
            if (missing.Count > 0) log.LogWarning("{Jobs} was deleted on Hangfire's page and is put back. To send nothing by itself, switch the schedule off on the page Schedule", string.Join(", ", missing));
            else if (current is null || !IsWrong(there[ScheduleJob.Name], current))
            {
                trouble = null;
                return;
            }
        }
        catch (Exception failure)
        {
            // Whoever needs the jobs' storage for more than a look says so. Nothing leaves this: it would end the server.
            if (!JobEdge.IsPassing(failure)) Tell(failure);
            return;
        }
        await WriteWhenFreeAsync();
    }

    private Dictionary<string, RecurringJobDto> Stored()
    {
        using var connection = storage.GetConnection();
        return connection.GetRecurringJobs().ToDictionary(job => job.Id);
    }

    // A time that has come is Hangfire's to run, and to go on from.
    private bool IsWrong(RecurringJobDto shown, Schedule current)
    {
        var now = time.GetUtcNow();
        var right = WeeklySchedule.Next(current, now)?.UtcDateTime;
        return shown.NextExecution is { } next && right is { } wanted ? next > now.UtcDateTime && (next - wanted).Duration() > Tolerance : shown.NextExecution != right;
    }

    // Another change may be made meanwhile: what holds is read each time. The settings are not: those of another node may be newer.
    private async Task WriteWhenFreeAsync()
    {
        try
        {
            while (await database.Schedules.FindAsync(CancellationToken.None) is { } current && !TryWrite(current))
            {
            }
        }
        catch (Exception failure)
        {
            Tell(failure);
        }
    }

    // Looked at every minute: once for each trouble. A node whose system does not know a zone that another one chose sends nothing at the wrong time for it.
    private void Tell(Exception failure)
    {
        var isExplained = JobEdge.IsPassing(failure) || failure is StorageException or TimeZoneNotFoundException or InvalidTimeZoneException;
        if (trouble != failure.Message)
            log.LogWarning(isExplained ? null : failure, "Hangfire's page of recurring jobs may show other times than those of the schedule, until they can be written: {Problem}", failure.Message);
        trouble = failure.Message;
    }

    private void Write(Schedule current)
    {
        var there = Stored();
        foreach (var other in there.Keys.Except(Ours)) jobs.RemoveIfExists(other);
        // Hangfire works the next time out anew only when the times change. Removed, it would forget when it ran last. Dying in between: the next look finds no time, which is wrong as well.
        if (there.TryGetValue(ScheduleJob.Name, out var shown) && IsWrong(shown, current)) WriteSchedule(Cron.Never(), current.TimeZone);
        jobs.AddOrUpdate<WeeklyDigestJob>(WeeklyDigestJob.Name, job => job.RunAsync(null, CancellationToken.None), Cron.Never());
        jobs.AddOrUpdate<PreviewJob>(PreviewJob.Name, job => job.RunAsync(null, CancellationToken.None), Cron.Never());
        WriteSchedule(current.IsOn ? current.Cron : Cron.Never(), current.TimeZone);
    }

    private void WriteSchedule(string cron, string zone) => jobs.AddOrUpdate<ScheduleJob>(
        ScheduleJob.Name, job => job.RunAsync(null, CancellationToken.None), cron, new RecurringJobOptions { TimeZone = TimeZoneInfo.FindSystemTimeZoneById(zone) });

    private bool TryWrite(Schedule current)
    {
        try
        {
            Write(current);
            return true;
        }
        catch (DistributedLockTimeoutException taken)
        {
            log.LogWarning("The recurring jobs wait for {Lock}: another server holds this lock, or was killed while it did. It is free within a minute", taken.Resource);
            return false;
        }
    }
}
