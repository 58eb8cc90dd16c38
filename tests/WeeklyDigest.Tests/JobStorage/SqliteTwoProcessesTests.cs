using System.Collections.Concurrent;
using Hangfire;
using Hangfire.Storage;
using Hangfire.Storage.SQLite;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>Two storages at work on one file.</summary>
public sealed class SqliteTwoProcessesTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly SqliteJobPlace place = new();
    private readonly SQLiteStorage one;
    private readonly SQLiteStorage two;

    public SqliteTwoProcessesTests()
    {
        // The lease is long: nobody dies here, and a loaded machine must not look like death.
        SQLiteStorageOptions Options() => new() { QueuePollInterval = TimeSpan.FromMilliseconds(50), InvisibilityTimeout = TimeSpan.FromMinutes(5) };
        (one, two) = (new SQLiteStorage(place.File, Options()), new SQLiteStorage(place.File, Options()));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        one.Dispose();
        two.Dispose();
        place.Dispose();
    }

    [Fact]
    public async Task Each_job_is_claimed_by_one_worker()
    {
        const int Jobs = 400;
        var claimed = new ConcurrentBag<string>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var workers = Enumerable.Range(0, 8).Select(i => Task.Run(() => Work(i % 2 == 0 ? one : two, claimed, stop.Token), Cancel)).ToList();
        var clients = new[] { new BackgroundJobClient(one), new BackgroundJobClient(two) };
        var ids = Enumerable.Range(0, Jobs).Select(i => clients[i % 2].Enqueue(() => SampleJobs.Say("x"))).ToList();
        await Eventually.HoldsAsync(() => claimed.Count >= Jobs, "all jobs are claimed", Limit);
        await stop.CancelAsync();
        await Task.WhenAll(workers);
        Assert.Equal(ids.Order(StringComparer.Ordinal), claimed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_worker_that_waits_notices_what_another_process_enqueues()
    {
        var fetched = Task.Run(() =>
        {
            using var connection = two.GetConnection();
            using var job = connection.FetchNextJob(["default"], Cancel);
            job.RemoveFromQueue();
            return job.JobId;
        }, Cancel);
        var id = new BackgroundJobClient(one).Enqueue(() => SampleJobs.Say("x"));
        Assert.Equal(id, await fetched.WaitAsync(Limit, Cancel));
    }

    [Fact]
    public async Task A_lock_excludes_the_other_process_and_passes_to_it()
    {
        using var connection = one.GetConnection();
        using var other = two.GetConnection();
        var held = connection.AcquireDistributedLock("paper", TimeSpan.Zero);
        Assert.Throws<DistributedLockTimeoutException>(() => other.AcquireDistributedLock("paper", TimeSpan.FromMilliseconds(60)));
        var waiting = Task.Run(() => other.AcquireDistributedLock("paper", Limit).Dispose(), Cancel);
        held.Dispose();
        await waiting.WaitAsync(Limit, Cancel);
    }

    [Fact]
    public async Task A_first_start_at_once_makes_one_schema()
    {
        for (var round = 0; round < 20; round++)
        {
            using var fresh = new SqliteJobPlace();
            using var together = new Barrier(6);
            var opened = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Factory.StartNew(Open, Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            Assert.All(opened, storage => Assert.Equal(0, storage.GetMonitoringApi().GetStatistics().Enqueued));
            foreach (var storage in opened) storage.Dispose();

            SQLiteStorage Open()
            {
                together.SignalAndWait(Cancel);
                return (SQLiteStorage)fresh.Open();
            }
        }
    }

    [Fact]
    public void Waiting_workers_write_nothing()
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        using var connection = one.GetConnection();
        using var session = two.Database.OpenReader();
        var before = session.Plain("PRAGMA data_version").Number();
        Assert.ThrowsAny<OperationCanceledException>(() => connection.FetchNextJob(["default"], stop.Token));
        Assert.Equal(before, session.Plain("PRAGMA data_version").Number());
    }

    private static void Work(SQLiteStorage storage, ConcurrentBag<string> claimed, CancellationToken stop)
    {
        using var connection = storage.GetConnection();
        try
        {
            while (true)
            {
                using var job = connection.FetchNextJob(["default"], stop);
                claimed.Add(job.JobId);
                job.RemoveFromQueue();
            }
        }
        catch (OperationCanceledException)
        {
            // All are claimed.
        }
    }
}
