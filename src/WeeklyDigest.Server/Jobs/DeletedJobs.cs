using Hangfire;
using Hangfire.Common;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Ends what a deleted job left behind: a worker that lives holds its mailing and says so on the job's page, but one that was killed does not, nor does a job
/// that was deleted before it ran, or ran again. Every node looks; whoever comes first does it, and doing it twice is as good as once.
/// </summary>
/// <param name="storage">Knows the deleted jobs.</param>
/// <param name="sending">Holds mailings.</param>
/// <param name="mailings">The mailings.</param>
/// <param name="schedules">Times that have come.</param>
/// <param name="time">The clock.</param>
internal sealed class DeletedJobs(JobStorage storage, IssueSending sending, IMailingStore mailings, IScheduleStore schedules, TimeProvider time)
{
    // More than anybody deletes between two looks.
    private const int Newest = 20;

    // A worker that lives writes the page by then, or writes over ours later.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly Type[] Senders = [typeof(WeeklyDigestJob), typeof(ScheduledDigestJob), typeof(SendIssueJob), typeof(DeliverMailingJob)];

    // When each was seen first; null: its page says how it ended.
    private Dictionary<(string Job, DateTime? DeletedAt), long?> seen = [];

    /// <summary>Looks once: one query, and one more for each that was not dealt with before.</summary>
    public async Task LookAsync()
    {
        try
        {
            var looked = new Dictionary<(string, DateTime?), long?>();
            foreach (var (job, deleted) in storage.GetMonitoringApi().DeletedJobs(0, Newest))
            {
                if (deleted?.Job is not { } call || !Senders.Contains(call.Type)) continue;
                var key = (job, deleted.DeletedAt);
                var since = seen.TryGetValue(key, out var known) ? known : time.GetTimestamp();
                looked[key] = since is { } first && !await IsOverAsync(job, call, At(deleted.DeletedAt), time.GetElapsedTime(first) >= Patience) ? first : null;
            }
            seen = looked;
        }
        catch (Exception failure) when (JobEdge.IsPassing(failure))
        {
            // Looked at again in a moment. Whoever needs these databases for more says what is wrong.
        }
    }

    /// <summary>Closes a time of the schedule whose job was deleted: nothing is sent for it by itself.</summary>
    public Task CloseAsync(DateTimeOffset dueAt, CancellationToken cancel) => schedules.CloseAsync(dueAt, OccurrenceState.Missed, "Its job was deleted.", cancel);

    // Held at once, since other nodes may be sending. What is written is looked at once more: a worker that was about to end may have written over it.
    private async Task<bool> IsOverAsync(string job, Job call, DateTimeOffset deletedAt, bool isLeft)
    {
        var report = JobPage.ReportOf(storage, job);
        if (report is { Done: true }) return true;
        // One that never ran has none; or its worker is about to write that it does.
        var page = JobPage.Left(storage, job, report ?? new JobReport("Deleted before it ran."));
        // Of an earlier run, when the last one had not come to say it on its page.
        var mailing = await FindAsync(report?.Issue ?? page.ChosenIssue, call);
        // Somebody sent the issue after all.
        if (mailing?.CreatedAt > deletedAt) mailing = null;
        var isResumed = mailing?.ResumedAt > deletedAt;
        if (call.Type == typeof(ScheduledDigestJob) && call.Args[0] is DateTimeOffset dueAt) await CloseAsync(dueAt, CancellationToken.None);
        if (mailing is not null && !isResumed) await sending.HoldAsync(mailing.Id);
        if (isLeft) await sending.ConcludeLeftAsync(page, mailing?.Id, isResumed);
        return false;
    }

    // What it chose; or what it was started for, when it never came to choose.
    private async Task<Mailing?> FindAsync(string? chosen, Job call) => call.Args[0] switch
    {
        long mailing when chosen is null => await mailings.FindAsync(mailing, CancellationToken.None),
        var named => IssueSlug.TryParse(chosen ?? named as string ?? "", out var slug) ? await mailings.FindAsync(slug, CancellationToken.None) : null,
    };

    private static DateTimeOffset At(DateTime? deletedAt) => deletedAt is { } at ? new DateTimeOffset(DateTime.SpecifyKind(at, DateTimeKind.Utc)) : DateTimeOffset.MinValue;
}
