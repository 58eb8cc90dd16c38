using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Finds the jobs that are still to run or running, whoever started them: a server that stops gives its jobs back, and those of one that was killed are
/// given to another worker when its lease ends. What counts is their place in the queue: a worker comes to it. A state alone might stay for ever.
/// </summary>
/// <param name="storage">Knows the jobs.</param>
internal sealed class QueuedJobs(JobStorage storage)
{
    // Far more than wait at any time.
    private const int Most = 1000;

    /// <summary>The job that wakes a mailing up, or one of an editor's that sends it already; null when there is none.</summary>
    public string? Delivering(Mailing mailing) => Find((job, call, connection) => call.Type == typeof(DeliverMailingJob)
        ? call.Args[0] is long id && id == mailing.Id
        : IsEditors(call.Type) && SerializationHelper.Deserialize<string?>(connection.GetJobParameter(job, JobPage.IssueParameter)) == mailing.Issue.Value);

    /// <summary>The job of a time of the schedule; null when there is none.</summary>
    public string? Of(DateTimeOffset dueAt) => Find((_, call, _) => call.Type == typeof(ScheduledDigestJob) && call.Args[0] is DateTimeOffset at && at == dueAt);

    // Run again, they go on with the issue they chose; a time's job does not, since the time is closed when the issue is published.
    private static bool IsEditors(Type type) => type == typeof(WeeklyDigestJob) || type == typeof(SendIssueJob);

    private string? Find(Func<string, Job, Hangfire.Storage.IStorageConnection, bool> isIt)
    {
        var monitor = storage.GetMonitoringApi();
        using var connection = storage.GetConnection();
        var taken = monitor.FetchedJobs(EnqueuedState.DefaultQueue, 0, Most).Select(entry => (entry.Key, entry.Value?.Job));
        var free = monitor.EnqueuedJobs(EnqueuedState.DefaultQueue, 0, Most).Select(entry => (entry.Key, entry.Value?.Job));
        // One that was deleted keeps its place until a worker comes to it.
        return taken.Concat(free).FirstOrDefault(entry => entry.Job is { } call && isIt(entry.Key, call, connection) && IsToRun(connection.GetStateData(entry.Key)?.Name)).Key;
    }

    private static bool IsToRun(string? state) => state == EnqueuedState.StateName || state == ProcessingState.StateName;
}
