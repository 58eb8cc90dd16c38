using Hangfire;
using Hangfire.States;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>A whole Hangfire server at work on the storage.</summary>
public abstract class ServerSuite<TPlace> : JobStorageSuite<TPlace> where TPlace : IJobStoragePlace, new()
{
    [Fact]
    public async Task Jobs_succeed_fail_wait_for_each_other_and_come_later()
    {
        var client = new BackgroundJobClient(Storage);
        using var server = Start();
        var first = client.Enqueue(() => SampleJobs.Answer("one"));
        var then = client.ContinueJobWith(first, () => SampleJobs.Say("two"));
        var later = client.Schedule(() => SampleJobs.Say("three"), TimeSpan.FromMilliseconds(300));
        var failing = client.Create(Hangfire.Common.Job.FromExpression(() => SampleJobs.Fail("four")), new EnqueuedState());
        var failed = client.Enqueue(() => SampleJobs.FailForGood("five"));
        foreach (var id in new[] { first, then, later }) await InStateAsync(id, "Succeeded");
        await InStateAsync(failed, "Failed");
        // Hangfire's retry filter tries it again later.
        await InStateAsync(failing, "Scheduled");
        Assert.Contains("four", Monitor.JobDetails(failing).History.Single(state => state.StateName == "Failed").Data["ExceptionMessage"], StringComparison.Ordinal);
        Assert.Equal("\"one!\"", Monitor.SucceededJobs(0, 10).Single(job => job.Key == first).Value.Result);
        Assert.Equal((3L, 0L), (Monitor.GetStatistics().Succeeded, Monitor.GetStatistics().Enqueued));
        Assert.Equal("five", Assert.Single(Monitor.FailedJobs(0, 10)).Value.ExceptionMessage);
        Assert.Equal((3L, 1L), (Monitor.HourlySucceededJobs().Values.Sum(), Monitor.HourlyFailedJobs().Values.Sum()));
        Assert.Equal(0, Monitor.EnqueuedCount("default"));
        // A worker takes a job out of its queue after the job's state is written.
        await Eventually.HoldsAsync(() => Monitor.FetchedCount("default") == 0, "none is left in the hands of a worker");
    }

    [Fact]
    public async Task A_recurring_job_is_triggered_and_removed()
    {
        var manager = new RecurringJobManager(Storage);
        manager.AddOrUpdate("weekly", () => SampleJobs.Say("paper"), Cron.Weekly());
        using var server = Start();
        var id = manager.TriggerJob("weekly");
        await InStateAsync(id, "Succeeded");
        manager.RemoveIfExists("weekly");
        Assert.Equal(0, Connection.GetSetCount("recurring-jobs"));
        Assert.Null(Connection.GetAllEntriesFromHash("recurring-job:weekly"));
    }

    [Fact]
    public async Task A_job_that_is_deleted_while_it_runs_is_cancelled()
    {
        var client = new BackgroundJobClient(Storage);
        using var server = Start();
        var id = client.Enqueue(() => EndlessJob.RunAsync(CancellationToken.None));
        await InStateAsync(id, "Processing");
        client.Delete(id);
        await Eventually.HoldsAsync(() => Monitor.ProcessingCount() == 0 && Monitor.FetchedCount("default") == 0, "the worker lets go of it");
        Assert.Equal("Deleted", Connection.GetJobData(id).State);
    }

    [Fact]
    public async Task A_server_that_is_stopped_gives_its_jobs_back_to_the_next()
    {
        var client = new BackgroundJobClient(Storage);
        var id = client.Enqueue(() => EndlessJob.RunAsync(CancellationToken.None));
        using (Start()) await InStateAsync(id, "Processing");
        await Eventually.HoldsAsync(() => Monitor.Servers().Count == 0, "the server has left");
        // A worker that outlives the time to stop gives its job back on its own, maybe after the server has left.
        await Eventually.HoldsAsync(() => Monitor.EnqueuedCount("default") == 1, "its job waits for another");
        using var next = Start();
        await Eventually.HoldsAsync(() => Monitor.JobDetails(id).History.Count(state => state.StateName == "Processing") == 2, "it runs again");
        client.Delete(id);
        await Eventually.HoldsAsync(() => Monitor.FetchedCount("default") == 0 && Monitor.ProcessingCount() == 0, "the worker lets go of it");
    }

    private BackgroundJobServer Start() => new(new BackgroundJobServerOptions
    {
        // Not the process-wide one, which a web server of another test may have set and taken with it.
        Activator = new JobActivator(),
        WorkerCount = 3,
        SchedulePollingInterval = TimeSpan.FromMilliseconds(100),
        CancellationCheckInterval = TimeSpan.FromMilliseconds(100),
        StopTimeout = TimeSpan.FromMilliseconds(100),
        ShutdownTimeout = TimeSpan.FromSeconds(10),
    }, Storage);

    private Task InStateAsync(string id, string state)
        => Eventually.HoldsAsync(() => Connection.GetJobData(id)?.State == state, $"job {id} is {state}", TimeSpan.FromSeconds(60));
}

/// <summary>A job that ends when it is told to.</summary>
public static class EndlessJob
{
    public static Task RunAsync(CancellationToken cancel) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
}
