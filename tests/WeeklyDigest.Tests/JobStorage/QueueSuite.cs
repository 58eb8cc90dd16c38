using System.Collections.Concurrent;
using Hangfire.States;
using Hangfire.Storage;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>Queues and those who take from them.</summary>
public abstract class QueueSuite<TPlace> : JobStorageSuite<TPlace> where TPlace : IJobStoragePlace, new()
{
    /// <summary>Whether an entry that was fetched stays in the storage until it is acknowledged.</summary>
    private protected virtual bool KeepsFetchedEntries => true;

    /// <summary>Whether an entry is acknowledged in the transaction that sets the job's state; else after it.</summary>
    private protected virtual bool FinishesInTransaction => true;

    [Fact]
    public void Jobs_come_in_the_order_in_which_they_were_enqueued()
    {
        var ids = Enumerable.Range(0, 5).Select(_ => Enqueue()).ToList();
        Assert.Equal(ids, Enumerable.Range(0, 5).Select(_ => FetchAndFinish()));
    }

    [Fact]
    public void An_earlier_queue_comes_before_all_of_the_later_ones()
    {
        var later = Enqueue("low");
        var sooner = Enqueue("high");
        Assert.Equal([sooner, later], [FetchAndFinish("high", "low"), FetchAndFinish("high", "low")]);
    }

    [Fact]
    public void Only_the_named_queues_are_looked_at()
    {
        Enqueue("other");
        Assert.True(IsEmpty("default"));
        Assert.False(IsEmpty("other"));
    }

    [Fact]
    public void A_fetched_job_is_nobody_elses()
    {
        Enqueue();
        using var fetched = Fetch();
        Assert.True(IsEmpty("default"));
    }

    [Fact]
    public void A_finished_job_does_not_come_again()
    {
        Enqueue();
        FetchAndFinish();
        Assert.True(IsEmpty("default"));
        Assert.Equal((0L, 0L), (Monitor.EnqueuedCount("default"), Monitor.FetchedCount("default")));
    }

    [Fact]
    public void A_requeued_job_comes_again()
    {
        var id = Enqueue();
        using (var fetched = Fetch()) fetched.Requeue();
        Assert.Equal(id, FetchAndFinish());
    }

    [Fact]
    public void A_job_that_was_neither_finished_nor_requeued_comes_again()
    {
        var id = Enqueue();
        Fetch().Dispose();
        // Hangfire.InMemory takes an entry out when it is fetched; who forgets it has lost it. With a process that dies all of its jobs are gone anyway.
        if (KeepsFetchedEntries) Assert.Equal(id, FetchAndFinish());
        else Assert.True(IsEmpty("default"));
    }

    [Fact]
    public void A_transaction_finishes_a_job_together_with_its_state()
    {
        var id = Enqueue();
        using var fetched = Fetch();
        // Hangfire.InMemory says no: with an entry that is gone since it was fetched, there is nothing to acknowledge. Hangfire.PostgreSql
        // (1.21.1) says no as well: a worker that dies in between runs a job again that succeeded, which Hangfire's contract allows.
        Assert.Equal(FinishesInTransaction, Storage.HasFeature(JobStorageFeatures.Transaction.RemoveFromQueue(fetched.GetType())));
        Commit(transaction =>
        {
            transaction.SetJobState(id, new SucceededState(null, 1, 1));
            if (FinishesInTransaction) transaction.RemoveFromQueue(fetched);
        });
        fetched.RemoveFromQueue();
        fetched.Dispose();
        Assert.Equal("Succeeded", Connection.GetJobData(id).State);
        Assert.True(IsEmpty("default"));
        Assert.Equal(0, Monitor.FetchedCount("default"));
    }

    [Fact]
    public async Task Who_waits_gets_a_job_at_once()
    {
        for (var i = 0; i < 5; i++)
        {
            var waiting = Task.Run(() => FetchAndFinish(), Cancel);
            var id = Enqueue();
            Assert.Equal(id, await waiting.WaitAsync(TimeSpan.FromSeconds(5), Cancel));
        }
    }

    [Fact]
    public async Task Who_waits_for_several_queues_gets_a_job_of_any()
    {
        var waiting = Task.Run(() => FetchAndFinish("a", "b", "c"), Cancel);
        var id = Enqueue("c");
        Assert.Equal(id, await waiting.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    [Fact]
    public async Task Who_waits_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        var waiting = Task.Run(() => Connection.FetchNextJob(["default"], stop.Token), Cancel);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    [Fact]
    public async Task Many_workers_get_each_job_once()
    {
        const int Jobs = 300;
        const int Workers = 8;
        var fetched = new ConcurrentBag<string>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var workers = Enumerable.Range(0, Workers).Select(_ => Task.Run(() => Work(fetched, stop.Token), Cancel)).ToList();
        var ids = Enumerable.Range(0, Jobs).Select(i => Enqueue(i % 2 == 0 ? "a" : "b")).ToList();
        await Eventually.HoldsAsync(() => fetched.Count >= Jobs, "all jobs are fetched", TimeSpan.FromSeconds(60));
        await stop.CancelAsync();
        await Task.WhenAll(workers);
        Assert.Equal(ids.Order(StringComparer.Ordinal), fetched.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_queue_has_to_be_named()
    {
        Assert.Throws<ArgumentNullException>(() => Connection.FetchNextJob(null!, Cancel));
        Assert.ThrowsAny<ArgumentException>(() => Connection.FetchNextJob([], Cancel));
    }

    private void Work(ConcurrentBag<string> fetched, CancellationToken stop)
    {
        using var connection = Storage.GetConnection();
        try
        {
            while (true)
            {
                using var job = connection.FetchNextJob(["a", "b"], stop);
                job.RemoveFromQueue();
                fetched.Add(job.JobId);
            }
        }
        catch (OperationCanceledException)
        {
            // All are fetched.
        }
    }

    private string FetchAndFinish(params string[] queues)
    {
        using var fetched = Fetch(queues);
        fetched.RemoveFromQueue();
        return fetched.JobId;
    }

    private bool IsEmpty(string queue) => Monitor.EnqueuedCount(queue) == 0;
}
