using Hangfire;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Wakes mailings up. Every few seconds it gives back what dead processes held and starts a job for each time of the schedule that has come,
/// and for each mailing that is due and that nobody here delivers: scheduled ones, deferred rows, resumed ones, and what a killed process
/// left. So every schedule is in the ledger, and nothing is lost with Hangfire's storage. What another process is sending it joins.
/// </summary>
/// <param name="engine">Recovers.</param>
/// <param name="runs">What is being delivered here.</param>
/// <param name="joined">Joins.</param>
/// <param name="sending">Holds a mailing.</param>
/// <param name="mailings">What is due.</param>
/// <param name="schedule">Which times have come.</param>
/// <param name="schedules">Closes a time whose job was deleted.</param>
/// <param name="jobs">Starts jobs.</param>
/// <param name="storage">Knows whether a started job is still to run.</param>
/// <param name="database">Is in its place.</param>
/// <param name="known">Knows what of its trouble is the database's.</param>
/// <param name="lifetime">Says first that the server stops.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class LedgerWatch(
    DeliveryEngine engine,
    DeliveryRuns runs,
    JoinedMailings joined,
    IssueSending sending,
    IMailingStore mailings,
    WeeklySchedule schedule,
    IScheduleStore schedules,
    IBackgroundJobClient jobs,
    JobStorage storage,
    Database database,
    KnownTrouble known,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<LedgerWatch> log) : BackgroundService
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    private readonly StartedJobs<long> deliveries = new(storage, time);
    private readonly StartedJobs<DateTimeOffset> occurrences = new(storage, time);
    private readonly QueuedJobs queued = new(storage);
    private readonly DeletedJobs deletedJobs = new(storage, sending, mailings, schedules, time);
    private readonly SemaphoreSlim turn = new(1, 1);
    private string? trouble;

    /// <summary>Looks at the schedule once, and starts a job for a time that has come.</summary>
    public async Task LookAtScheduleAsync(CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            foreach (var dueAt in occurrences.TakeDeleted()) await deletedJobs.CloseAsync(dueAt, cancel);
            foreach (var occurrence in await schedule.LookAsync(cancel)) await StartAsync(occurrence.DueAt, cancel);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Looks at the mailings once, and starts a job for each that is due, or joins it.</summary>
    /// <param name="cancel">Drains what was joined.</param>
    public async Task LookAtMailingsAsync(CancellationToken cancel)
    {
        var elsewhere = (await engine.RecoverAsync(cancel)).Where(sender => !sender.IsThisProcess).Select(sender => sender.MailingId).ToHashSet();
        // Deleting a wake-up means: not now. One that a job delivers all the same was resumed, or has another job.
        foreach (var mailing in deliveries.TakeDeleted()) await sending.HoldAsync(mailing);
        await deletedJobs.LookAsync();
        foreach (var mailing in await mailings.DueAsync(time.GetUtcNow(), cancel))
        {
            if (runs.IsRunning(mailing) || await sending.HoldsLateAsync(mailing, cancel)) continue;
            // A job that has begun and sends nowhere is a killed server's: its place in the queue is held until a lease ends, the mailing is not.
            if (elsewhere.Contains(mailing) || await StartAsync(mailing, cancel)) joined.Join(mailing, cancel);
        }
    }

    // Hands over to a job, which may be an earlier server's. Of nodes that look at the same moment one starts it, and the others find it with their next look.
    private async Task<bool> StartAsync(long id, CancellationToken cancel)
    {
        if (!deliveries.Have(id, out var hasBegun)) await database.TryAloneAsync(StartOneAsync, cancel);
        return hasBegun;

        async Task StartOneAsync()
        {
            // A node that had its turn a moment ago may have sent it.
            if (!(await mailings.DueAsync(time.GetUtcNow(), cancel)).Contains(id) || await mailings.FindAsync(id, cancel) is not { } mailing) return;
            deliveries.Add(id, queued.Delivering(mailing) ?? jobs.Enqueue<DeliverMailingJob>(job => job.RunAsync(id, null, CancellationToken.None)));
        }
    }

    private async Task StartAsync(DateTimeOffset dueAt, CancellationToken cancel)
    {
        if (!occurrences.Have(dueAt, out _)) await database.TryAloneAsync(StartOneAsync, cancel);

        async Task StartOneAsync()
        {
            if (await schedules.FindAsync(dueAt, cancel) is not { State: OccurrenceState.Due }) return;
            occurrences.Add(dueAt, queued.Of(dueAt) ?? jobs.Enqueue<ScheduledDigestJob>(job => job.RunAsync(dueAt, null, CancellationToken.None)));
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        turn.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // What was joined drains from the first moment on, whatever the other services take to stop.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        try
        {
            await LookAgainAndAgainAsync(stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Let out before the host stops this service, it would count as a failure.
        }
    }

    private async Task LookAgainAndAgainAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                // The engine would wait for it without a word.
                database.RequirePresence();
                await LookAtMailingsAsync(cancel);
                await LookAtScheduleAsync(cancel);
                if (trouble is not null) log.LogWarning("The ledger can be looked at again, and mailings go on");
                trouble = null;
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                Tell(problem);
            }
        }
        while (await timer.WaitForNextTickAsync(cancel));
    }

    // A full disk may last, and the log may be on it: once for each trouble, and at length only what is none of the database's.
    private void Tell(Exception problem)
    {
        var words = known.Words(problem);
        var shown = words ?? problem.Message;
        if (trouble == shown) log.LogDebug("The ledger still cannot be looked at: {Problem}", shown);
        else log.LogError(words is null ? problem : null, "The ledger could not be looked at: {Problem} It is tried again every {Seconds} seconds", shown, Interval.TotalSeconds);
        trouble = shown;
    }
}
