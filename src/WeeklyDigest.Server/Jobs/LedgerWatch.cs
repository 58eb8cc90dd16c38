using Hangfire;
using Hangfire.States;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Wakes mailings up. Every few seconds it gives back what dead processes held and starts a job for each mailing that is due and that
/// nobody here delivers: scheduled ones, deferred rows, resumed ones, and what a killed process left. So every schedule is in the
/// ledger, and nothing is lost with Hangfire's storage. What another process is sending it joins.
/// </summary>
/// <param name="engine">Recovers.</param>
/// <param name="runs">What is being delivered here.</param>
/// <param name="joined">Joins.</param>
/// <param name="sending">Holds a mailing.</param>
/// <param name="mailings">What is due.</param>
/// <param name="jobs">Starts jobs.</param>
/// <param name="storage">Knows whether a started job is still to run.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class LedgerWatch(
    DeliveryEngine engine,
    DeliveryRuns runs,
    JoinedMailings joined,
    IssueSending sending,
    IMailingStore mailings,
    IBackgroundJobClient jobs,
    JobStorage storage,
    TimeProvider time,
    ILogger<LedgerWatch> log) : BackgroundService
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    // A job that failed will fail again a moment later; its page should not be one of a thousand.
    private static readonly TimeSpan RestAfterFailure = TimeSpan.FromMinutes(1);

    private readonly Dictionary<long, (string Job, DateTimeOffset At)> started = [];

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken cancel)
    {
        var elsewhere = (await engine.RecoverAsync(cancel)).Where(sender => !sender.IsThisProcess).Select(sender => sender.MailingId).ToHashSet();
        await HoldDeletedAsync();
        foreach (var mailing in await mailings.DueAsync(time.GetUtcNow(), cancel))
        {
            if (runs.IsRunning(mailing)) continue;
            if (elsewhere.Contains(mailing)) joined.Join(mailing, cancel);
            else if (!IsTakenCareOf(mailing)) Enqueue(mailing);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                log.LogError(problem, "The ledger could not be looked at; the next try is in {Seconds} seconds", Interval.TotalSeconds);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private void Enqueue(long mailing)
    {
        var id = jobs.Enqueue<DeliverMailingJob>(job => job.RunAsync(mailing, null, CancellationToken.None));
        started[mailing] = (id, time.GetUtcNow());
    }

    // Deleting a wake-up means: not now. One that is delivered all the same was resumed, or has another job.
    private async Task HoldDeletedAsync()
    {
        foreach (var (mailing, _) in started.Where(entry => StateOf(entry.Value.Job) == DeletedState.StateName).ToList())
        {
            started.Remove(mailing);
            if (!runs.IsRunning(mailing)) await sending.HoldAsync(mailing);
        }
    }

    private string? StateOf(string job)
    {
        using var connection = storage.GetConnection();
        return connection.GetStateData(job)?.Name;
    }

    private bool IsTakenCareOf(long mailing)
    {
        if (!started.TryGetValue(mailing, out var last)) return false;
        var state = StateOf(last.Job);
        return state == EnqueuedState.StateName || state == ProcessingState.StateName
            || (state == FailedState.StateName && time.GetUtcNow() < last.At + RestAfterFailure);
    }
}
