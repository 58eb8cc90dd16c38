using System.Globalization;
using Hangfire.Server;
using Hangfire.States;
using Hangfire.Storage;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>What the dashboard reads.</summary>
public abstract class MonitoringSuite<TPlace> : JobStorageSuite<TPlace> where TPlace : IJobStoragePlace, new()
{
    /// <summary>Whether an entry that was fetched is shown until it is acknowledged.</summary>
    private protected virtual bool ShowsFetchedEntries => true;

    [Fact]
    public void Lists_show_old_processing_and_scheduled_jobs_first()
    {
        Assert.Equal(Listed(Three(new InProcessing())), Monitor.ProcessingJobs(0, 10).Select(job => job.Key));
        Assert.Equal(Listed(Three(new ScheduledState(Now.AddHours(2)))), Monitor.ScheduledJobs(0, 10).Select(job => job.Key));
        Assert.Equal((3L, 3L), (Monitor.ProcessingCount(), Monitor.ScheduledCount()));
    }

    [Fact]
    public void Lists_show_finished_jobs_newest_first()
    {
        Assert.Equal(Three(new SucceededState("ok", 5, 7)).AsEnumerable().Reverse(), Monitor.SucceededJobs(0, 10).Select(job => job.Key));
        Assert.Equal(Three(new FailedState(new InvalidOperationException("no")) { Reason = "why" }).AsEnumerable().Reverse(), Monitor.FailedJobs(0, 10).Select(job => job.Key));
        Assert.Equal(Three(new DeletedState()).AsEnumerable().Reverse(), Monitor.DeletedJobs(0, 10).Select(job => job.Key));
        Assert.Equal((3L, 3L, 3L), (Monitor.SucceededListCount(), Monitor.FailedCount(), Monitor.DeletedListCount()));
    }

    [Fact]
    public void Lists_are_read_by_pages()
    {
        var ids = Listed(Enumerable.Range(0, 5).Select(_ => InState(new InProcessing())).ToList());
        Assert.Equal(ids[1..3], Monitor.ProcessingJobs(1, 2).Select(job => job.Key));
        Assert.Equal(ids[4..], Monitor.ProcessingJobs(4, 20).Select(job => job.Key));
        Assert.Empty(Monitor.ProcessingJobs(5, 20));
    }

    [Fact]
    public void A_job_is_listed_in_the_state_it_is_in_and_no_other()
    {
        var id = InState(new InProcessing());
        Commit(transaction => transaction.SetJobState(id, new SucceededState("ok", 5, 7)));
        Assert.Empty(Monitor.ProcessingJobs(0, 10));
        Assert.Equal(id, Assert.Single(Monitor.SucceededJobs(0, 10)).Key);
    }

    [Fact]
    public void Each_list_says_of_a_job_what_its_page_shows()
    {
        InState(new SucceededState("ok", 5, 7));
        InState(new FailedState(new InvalidOperationException("no")) { Reason = "why" });
        InState(new ScheduledState(new DateTime(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc)));
        InState(new InProcessing());
        InState(new DeletedState());

        var succeeded = Assert.Single(Monitor.SucceededJobs(0, 10)).Value;
        Assert.Equal(("\"ok\"", 12L, true), (succeeded.Result, succeeded.TotalDuration, succeeded.InSucceededState));
        Close(Now, succeeded.SucceededAt);
        Assert.Equal(nameof(SampleJobs.Say), succeeded.Job.Method.Name);
        var failed = Assert.Single(Monitor.FailedJobs(0, 10)).Value;
        Assert.Equal(("why", "no", "System.InvalidOperationException", true), (failed.Reason, failed.ExceptionMessage, failed.ExceptionType, failed.InFailedState));
        Close(Now, failed.FailedAt);
        var scheduled = Assert.Single(Monitor.ScheduledJobs(0, 10)).Value;
        Assert.Equal(new DateTime(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc), scheduled.EnqueueAt);
        Close(Now, scheduled.ScheduledAt);
        var processing = Assert.Single(Monitor.ProcessingJobs(0, 10)).Value;
        Assert.Equal(("server-1", true), (processing.ServerId, processing.InProcessingState));
        Close(Now, processing.StartedAt);
        Close(Now, Assert.Single(Monitor.DeletedJobs(0, 10)).Value.DeletedAt);
    }

    [Fact]
    public void Awaiting_jobs_are_listed_with_their_parents_state()
    {
        if (!Has(JobStorageFeatures.Monitoring.AwaitingJobs)) return;
        var parent = InState(new InProcessing());
        var id = InState(new AwaitingState(parent, new EnqueuedState()));
        Assert.Equal(1, WiderMonitor.AwaitingCount());
        var awaiting = Assert.Single(WiderMonitor.AwaitingJobs(0, 10));
        Assert.Equal((id, "Processing", true), (awaiting.Key, awaiting.Value.ParentStateName, awaiting.Value.InAwaitingState));
        Close(Now, awaiting.Value.AwaitingAt);
    }

    [Fact]
    public void Queues_are_listed_with_their_length_and_first_jobs()
    {
        var ids = Enumerable.Range(0, 7).Select(_ => Enqueue("b")).ToList();
        Enqueue("a");
        var queues = Monitor.Queues();
        Assert.Equal(["a", "b"], queues.Select(queue => queue.Name));
        Assert.Equal([1L, 7L], queues.Select(queue => queue.Length));
        Assert.Equal(ids[..5], queues[1].FirstJobs.Select(job => job.Key));
        Assert.Equal((7L, 0L), (Monitor.EnqueuedCount("b"), Monitor.EnqueuedCount("none")));
        Assert.Equal(ids[2..4], Monitor.EnqueuedJobs("b", 2, 2).Select(job => job.Key));
        var job = Monitor.EnqueuedJobs("b", 0, 1)[0].Value;
        Assert.Equal(("Enqueued", true), (job.State, job.InEnqueuedState));
        Close(Now, job.EnqueuedAt);
    }

    [Fact]
    public void Fetched_jobs_are_listed_apart_from_those_that_wait()
    {
        var id = Enqueue();
        Enqueue();
        using var fetched = Fetch();
        Assert.Equal(1, Monitor.EnqueuedCount("default"));
        // Hangfire.InMemory forgets an entry when it is fetched: it cannot say who has it.
        if (!ShowsFetchedEntries)
        {
            Assert.Equal(0, Monitor.FetchedCount("default"));
            return;
        }
        Assert.Equal(1, Monitor.FetchedCount("default"));
        var listed = Assert.Single(Monitor.FetchedJobs("default", 0, 10));
        Assert.Equal((id, "Enqueued"), (listed.Key, listed.Value.State));
        Close(Now, listed.Value.FetchedAt);
    }

    [Fact]
    public void Statistics_count_everything()
    {
        Three(new InProcessing());
        InState(new FailedState(new InvalidOperationException("no")));
        InState(new ScheduledState(Now.AddHours(2)));
        InState(new AwaitingState(Create(), new EnqueuedState()));
        Enqueue();
        Connection.AnnounceServer("server-1", new ServerContext { Queues = ["default"], WorkerCount = 3 });
        Commit(transaction =>
        {
            transaction.IncrementCounter("stats:succeeded");
            transaction.IncrementCounter("stats:succeeded");
            transaction.IncrementCounter("stats:deleted");
            transaction.AddToSet("recurring-jobs", "weekly");
            transaction.AddRangeToSet("retries", ["1", "2"]);
        });
        var statistics = Monitor.GetStatistics();
        Assert.Equal((3L, 1L, 1L, 1L), (statistics.Processing, statistics.Failed, statistics.Scheduled, statistics.Enqueued));
        // Both came to Hangfire with the page of awaiting jobs.
        (long?, long?) expected = Has(JobStorageFeatures.Monitoring.AwaitingJobs) ? (1, 2) : (null, null);
        Assert.Equal(expected, (statistics.Awaiting, statistics.Retries));
        Assert.Equal((2L, 1L, 1L, 1L, 1L), (statistics.Succeeded, statistics.Deleted, statistics.Recurring, statistics.Servers, statistics.Queues));
    }

    [Fact]
    public void Finished_jobs_are_counted_by_day_and_by_hour()
    {
        var now = Now;
        Commit(transaction =>
        {
            foreach (var (kind, times) in new[] { ("succeeded", 3), ("failed", 2), ("deleted", 1) })
            {
                for (var i = 0; i < times; i++)
                {
                    transaction.IncrementCounter($"stats:{kind}:{now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}", TimeSpan.FromDays(31));
                    transaction.IncrementCounter($"stats:{kind}:{now.ToString("yyyy-MM-dd-HH", CultureInfo.InvariantCulture)}", TimeSpan.FromDays(1));
                }
            }
        });
        Counted(3, Monitor.SucceededByDatesCount(), Monitor.HourlySucceededJobs());
        Counted(2, Monitor.FailedByDatesCount(), Monitor.HourlyFailedJobs());
        if (Has(JobStorageFeatures.Monitoring.DeletedStateGraphs)) Counted(1, WiderMonitor.DeletedByDatesCount(), WiderMonitor.HourlyDeletedJobs());
        Assert.Contains(now.Date, Monitor.SucceededByDatesCount().Keys);
    }

    [Fact]
    public void A_jobs_page_has_all_that_is_known_of_it()
    {
        var id = Create(Job("hello"), ("Culture", "de"));
        Commit(transaction => transaction.SetJobState(id, new SucceededState("ok", 5, 7)));
        var details = Monitor.JobDetails(id);
        Assert.Equal("hello", details.Job.Args[0]);
        Assert.Equal("de", details.Properties["Culture"]);
        Close(Now, details.CreatedAt);
        Assert.Equal("7", details.History[0].Data["PerformanceDuration"]);
    }

    [Fact]
    public void Servers_are_listed_until_they_leave()
    {
        Connection.AnnounceServer("server-2", new ServerContext { Queues = ["a"], WorkerCount = 1 });
        Connection.AnnounceServer("server-1", new ServerContext { Queues = ["default", "mail"], WorkerCount = 3 });
        Connection.Heartbeat("server-1");
        // Hangfire asks for no order.
        var servers = Monitor.Servers().OrderBy(server => server.Name, StringComparer.Ordinal).ToList();
        Assert.Equal(["server-1", "server-2"], servers.Select(server => server.Name));
        Assert.Equal((3, "default mail"), (servers[0].WorkersCount, string.Join(' ', servers[0].Queues)));
        Close(Now, servers[0].StartedAt);
        Close(Now, servers[0].Heartbeat);
        Connection.RemoveServer("server-1");
        Assert.Equal("server-2", Assert.Single(Monitor.Servers()).Name);
    }

    [Fact]
    public async Task A_silent_server_is_removed_and_told_so_when_it_comes_back()
    {
        Connection.AnnounceServer("server-1", new ServerContext { Queues = ["default"], WorkerCount = 3 });
        Assert.Equal(0, Connection.RemoveTimedOutServers(TimeSpan.FromMinutes(5)));
        await Eventually.HoldsAsync(() => Connection.RemoveTimedOutServers(TimeSpan.FromMilliseconds(20)) == 1, "the server was silent for 20 ms");
        Assert.Empty(Monitor.Servers());
        Assert.Throws<BackgroundServerGoneException>(() => Connection.Heartbeat("server-1"));
        if (Does(JobStorageHabit.RefusesZeroTimeout)) Assert.Throws<ArgumentException>(() => Connection.RemoveTimedOutServers(TimeSpan.Zero));
        else Assert.Equal(0, Connection.RemoveTimedOutServers(TimeSpan.Zero));
    }

    private List<string> Listed(List<string> ids)
    {
        if (!Does(JobStorageHabit.ListsOpenJobsOldestFirst)) ids.Reverse();
        return ids;
    }

    private List<string> Three(IState state) => Enumerable.Range(0, 3).Select(_ => InState(state)).ToList();

    private static void Counted(long times, IDictionary<DateTime, long> days, IDictionary<DateTime, long> hours)
        => Assert.Equal((7, 24, times, times), (days.Count, hours.Count, days.Values.Sum(), hours.Values.Sum()));
}
