using System.Globalization;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage.Monitoring;
using Hangfire.Storage.SQLite.Database;
using Hangfire.Storage.SQLite.Jobs;

namespace Hangfire.Storage.SQLite.Monitoring;

/// <summary>What the dashboard shows, each page as of one point in time.</summary>
/// <param name="database">The database.</param>
/// <param name="clock">The clock.</param>
internal sealed class SQLiteMonitoringApi(JobDatabase database, TimeProvider clock) : JobStorageMonitor
{
    private const int JobsOnOverview = 5;

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    /// <inheritdoc/>
    public override IList<QueueWithTopEnqueuedJobsDto> Queues() => database.Read(session =>
    {
        var queues = new List<QueueWithTopEnqueuedJobsDto>();
        using (var rows = session["QueueLengths"].Read())
            while (rows.Next()) queues.Add(new() { Name = rows.Text(0), Length = rows.Number(1), Fetched = rows.Number(2) });
        foreach (var queue in queues) queue.FirstJobs = Enqueued(session, queue.Name, 0, JobsOnOverview);
        return queues;
    });

    /// <inheritdoc/>
    public override IList<ServerDto> Servers() => database.Read(session =>
    {
        using var rows = session["Servers"].Read();
        var servers = new List<ServerDto>();
        while (rows.Next())
        {
            servers.Add(new()
            {
                Name = rows.Text(0), Queues = SerializationHelper.Deserialize<string[]>(rows.Text(1)), WorkersCount = (int)rows.Number(2),
                StartedAt = rows.Time(3), Heartbeat = rows.Time(4),
            });
        }
        return servers;
    });

    /// <inheritdoc/>
    public override JobDetailsDto? JobDetails(string jobId)
    {
        ArgumentNullException.ThrowIfNull(jobId);
        return JobRows.Id(jobId) is { } id ? database.Read(session => JobDetailsReader.Read(session, id)) : null;
    }

    /// <inheritdoc/>
    public override StatisticsDto GetStatistics() => database.Read(session => new StatisticsDto
    {
        Enqueued = Count(session, EnqueuedState.StateName),
        Scheduled = Count(session, ScheduledState.StateName),
        Processing = Count(session, ProcessingState.StateName),
        Failed = Count(session, FailedState.StateName),
        Awaiting = Count(session, AwaitingState.StateName),
        Succeeded = session["Counter"].With("@key", "stats:succeeded").Number() ?? 0,
        Deleted = session["Counter"].With("@key", "stats:deleted").Number() ?? 0,
        Recurring = session["SetCount"].With("@key", "recurring-jobs").Number() ?? 0,
        Retries = session["SetCount"].With("@key", "retries").Number() ?? 0,
        Servers = session["CountServers"].Number() ?? 0,
        Queues = session["CountQueues"].Number() ?? 0,
    });

    /// <inheritdoc/>
    public override JobList<EnqueuedJobDto> EnqueuedJobs(string queue, int from, int perPage)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return database.Read(session => Enqueued(session, queue, from, perPage));
    }

    /// <inheritdoc/>
    public override JobList<FetchedJobDto> FetchedJobs(string queue, int from, int perPage)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return database.Read(session => JobPage.Read(session["FetchedPage"].With("@queue", queue).With("@from", from).With("@count", perPage), job => new FetchedJobDto
        {
            Job = job.Job, LoadException = job.Problem, InvocationData = job.Data, State = job.State, FetchedAt = job.At,
        }));
    }

    /// <inheritdoc/>
    public override JobList<ProcessingJobDto> ProcessingJobs(int from, int count) => Page("OldestInState", ProcessingState.StateName, from, count, job => new ProcessingJobDto
    {
        Job = job.Job, LoadException = job.Problem, InvocationData = job.Data, StateData = job.StateData,
        InProcessingState = true, ServerId = job["ServerId"], StartedAt = job.At,
    });

    /// <inheritdoc/>
    public override JobList<ScheduledJobDto> ScheduledJobs(int from, int count) => Page("OldestInState", ScheduledState.StateName, from, count, job => new ScheduledJobDto
    {
        Job = job.Job, LoadException = job.Problem, InvocationData = job.Data, StateData = job.StateData,
        InScheduledState = true, EnqueueAt = JobHelper.DeserializeNullableDateTime(job["EnqueueAt"]) ?? DateTime.MinValue, ScheduledAt = job.At,
    });

    /// <inheritdoc/>
    public override JobList<SucceededJobDto> SucceededJobs(int from, int count) => Page("NewestInState", SucceededState.StateName, from, count, job => new SucceededJobDto
    {
        Job = job.Job, LoadException = job.Problem, InvocationData = job.Data, StateData = job.StateData,
        InSucceededState = true, Result = job["Result"], TotalDuration = Milliseconds(job["PerformanceDuration"]) + Milliseconds(job["Latency"]), SucceededAt = job.At,
    });

    /// <inheritdoc/>
    public override JobList<FailedJobDto> FailedJobs(int from, int count) => Page("NewestInState", FailedState.StateName, from, count, job => new FailedJobDto
    {
        Job = job.Job, LoadException = job.Problem, InvocationData = job.Data, StateData = job.StateData,
        InFailedState = true, Reason = job.Reason, FailedAt = job.At,
        ExceptionDetails = job["ExceptionDetails"], ExceptionMessage = job["ExceptionMessage"], ExceptionType = job["ExceptionType"],
    });

    /// <inheritdoc/>
    public override JobList<DeletedJobDto> DeletedJobs(int from, int count) => Page("NewestInState", DeletedState.StateName, from, count, job => new DeletedJobDto
    {
        Job = job.Job, LoadException = job.Problem, InvocationData = job.Data, StateData = job.StateData, InDeletedState = true, DeletedAt = job.At,
    });

    /// <inheritdoc/>
    public override JobList<AwaitingJobDto> AwaitingJobs(int from, int count) => database.Read(session =>
    {
        var jobs = JobPage.Read(InState(session, "OldestInState", AwaitingState.StateName, from, count), job => new AwaitingJobDto
        {
            Job = job.Job, LoadException = job.Problem, InvocationData = job.Data, StateData = job.StateData, InAwaitingState = true, AwaitingAt = job.At,
        });
        foreach (var job in jobs.Select(job => job.Value))
            if (job.StateData.TryGetValue("ParentId", out var parent) && JobRows.Id(parent) is { } id) job.ParentStateName = session["StateOf"].With("@job", id).Text();
        return jobs;
    });

    /// <inheritdoc/>
    public override long EnqueuedCount(string queue) => InQueue("CountFree", queue);

    /// <inheritdoc/>
    public override long FetchedCount(string queue) => InQueue("CountFetched", queue);

    /// <inheritdoc/>
    public override long ScheduledCount() => Count(ScheduledState.StateName);

    /// <inheritdoc/>
    public override long FailedCount() => Count(FailedState.StateName);

    /// <inheritdoc/>
    public override long ProcessingCount() => Count(ProcessingState.StateName);

    /// <inheritdoc/>
    public override long SucceededListCount() => Count(SucceededState.StateName);

    /// <inheritdoc/>
    public override long DeletedListCount() => Count(DeletedState.StateName);

    /// <inheritdoc/>
    public override long AwaitingCount() => Count(AwaitingState.StateName);

    /// <inheritdoc/>
    public override IDictionary<DateTime, long> SucceededByDatesCount() => database.Read(session => Timeline.ByDay(session, "succeeded", Now));

    /// <inheritdoc/>
    public override IDictionary<DateTime, long> FailedByDatesCount() => database.Read(session => Timeline.ByDay(session, "failed", Now));

    /// <inheritdoc/>
    public override IDictionary<DateTime, long> DeletedByDatesCount() => database.Read(session => Timeline.ByDay(session, "deleted", Now));

    /// <inheritdoc/>
    public override IDictionary<DateTime, long> HourlySucceededJobs() => database.Read(session => Timeline.ByHour(session, "succeeded", Now));

    /// <inheritdoc/>
    public override IDictionary<DateTime, long> HourlyFailedJobs() => database.Read(session => Timeline.ByHour(session, "failed", Now));

    /// <inheritdoc/>
    public override IDictionary<DateTime, long> HourlyDeletedJobs() => database.Read(session => Timeline.ByHour(session, "deleted", Now));

    private static JobList<EnqueuedJobDto> Enqueued(Session session, string queue, int from, int count)
        => JobPage.Read(session["EnqueuedPage"].With("@queue", queue).With("@from", from).With("@count", count), job => new EnqueuedJobDto
        {
            Job = job.Job, LoadException = job.Problem, InvocationData = job.Data, StateData = job.StateData, State = job.State,
            InEnqueuedState = job.IsIn(EnqueuedState.StateName), EnqueuedAt = job.IsIn(EnqueuedState.StateName) ? job.At : null,
        });

    private static Statement InState(Session session, string statement, string state, int from, int count)
        => session[statement].With("@state", state).With("@from", from).With("@count", count);

    private static long Count(Session session, string state) => session["CountInState"].With("@state", state).Number() ?? 0;

    private static long? Milliseconds(string? text) => long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var time) ? time : null;

    private JobList<T> Page<T>(string statement, string state, int from, int count, Func<ListedJob, T> map) where T : class
        => database.Read(session => JobPage.Read(InState(session, statement, state, from, count), map));

    private long Count(string state) => database.Read(session => Count(session, state));

    private long InQueue(string statement, string queue)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return database.Read(session => session[statement].With("@queue", queue).Number() ?? 0);
    }
}
