using Hangfire.States;
using Hangfire.Storage;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>Distributed locks.</summary>
public abstract class LockSuite<TPlace> : JobStorageSuite<TPlace> where TPlace : IJobStoragePlace, new()
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public void A_lock_keeps_others_out_until_it_is_released()
    {
        using var other = Storage.GetConnection();
        using (Connection.AcquireDistributedLock("paper", Moment))
        {
            var refusal = Assert.ThrowsAny<DistributedLockTimeoutException>(() => other.AcquireDistributedLock("paper", Moment));
            // Hangfire.PostgreSql puts its prefix in front.
            Assert.EndsWith("paper", refusal.Resource, StringComparison.Ordinal);
            Assert.ThrowsAny<DistributedLockTimeoutException>(() => other.AcquireDistributedLock("paper", TimeSpan.Zero));
            other.AcquireDistributedLock("ink", TimeSpan.Zero).Dispose();
        }
        other.AcquireDistributedLock("paper", TimeSpan.Zero).Dispose();
    }

    [Fact]
    public async Task Who_waits_gets_the_lock_when_it_is_released()
    {
        var held = Connection.AcquireDistributedLock("paper", Moment);
        var waiting = Task.Run(() =>
        {
            using var other = Storage.GetConnection();
            other.AcquireDistributedLock("paper", Limit).Dispose();
        }, Cancel);
        held.Dispose();
        await waiting.WaitAsync(Limit, Cancel);
    }

    [Fact]
    public void A_connection_gets_its_own_lock_again_and_holds_it_until_the_last_release()
    {
        using var other = Storage.GetConnection();
        var first = Connection.AcquireDistributedLock("paper", Moment);
        var second = Connection.AcquireDistributedLock("paper", Moment);
        second.Dispose();
        Assert.ThrowsAny<DistributedLockTimeoutException>(() => other.AcquireDistributedLock("paper", TimeSpan.Zero));
        first.Dispose();
        other.AcquireDistributedLock("paper", TimeSpan.Zero).Dispose();
    }

    [Fact]
    public void A_connection_that_is_disposed_of_releases_its_locks()
    {
        var other = Storage.GetConnection();
        other.AcquireDistributedLock("paper", Moment);
        other.Dispose();
        if (Does(JobStorageHabit.ReleasesLocksWithConnection)) Connection.AcquireDistributedLock("paper", TimeSpan.Zero).Dispose();
        else Assert.ThrowsAny<DistributedLockTimeoutException>(() => Connection.AcquireDistributedLock("paper", TimeSpan.Zero));
    }

    [Fact]
    public void A_transaction_holds_its_lock_until_it_is_committed()
    {
        if (!Has(JobStorageFeatures.Transaction.AcquireDistributedLock)) return;
        using var other = Storage.GetConnection();
        var id = Create();
        using (var transaction = (JobStorageTransaction)Connection.CreateWriteTransaction())
        {
            transaction.AcquireDistributedLock("paper", Moment);
            transaction.SetJobState(id, new EnqueuedState());
            Assert.ThrowsAny<DistributedLockTimeoutException>(() => other.AcquireDistributedLock("paper", TimeSpan.Zero));
            transaction.Commit();
            other.AcquireDistributedLock("paper", TimeSpan.Zero).Dispose();
        }
        Assert.Equal("Enqueued", Connection.GetJobData(id).State);
    }

    [Fact]
    public void A_transaction_that_is_given_up_releases_its_lock()
    {
        if (!Has(JobStorageFeatures.Transaction.AcquireDistributedLock)) return;
        using var other = Storage.GetConnection();
        using (var transaction = (JobStorageTransaction)Connection.CreateWriteTransaction()) transaction.AcquireDistributedLock("paper", Moment);
        other.AcquireDistributedLock("paper", TimeSpan.Zero).Dispose();
    }

    [Fact]
    public void A_transaction_that_took_its_lock_twice_releases_it()
    {
        if (!Has(JobStorageFeatures.Transaction.AcquireDistributedLock)) return;
        using var other = Storage.GetConnection();
        Commit(transaction =>
        {
            transaction.AcquireDistributedLock("paper", Moment);
            transaction.AcquireDistributedLock("ink", Moment);
            transaction.AcquireDistributedLock("paper", Moment);
        });
        other.AcquireDistributedLock("paper", TimeSpan.Zero).Dispose();
        other.AcquireDistributedLock("ink", TimeSpan.Zero).Dispose();
        Connection.AcquireDistributedLock("paper", TimeSpan.Zero).Dispose();
    }

    [Fact]
    public void A_lock_of_the_connection_outlives_a_transaction_that_took_it_again()
    {
        if (!Has(JobStorageFeatures.Transaction.AcquireDistributedLock)) return;
        using var other = Storage.GetConnection();
        using (Connection.AcquireDistributedLock("paper", Moment))
        {
            Commit(transaction => transaction.AcquireDistributedLock("paper", Moment));
            Assert.ThrowsAny<DistributedLockTimeoutException>(() => other.AcquireDistributedLock("paper", TimeSpan.Zero));
        }
        other.AcquireDistributedLock("paper", TimeSpan.Zero).Dispose();
    }

    [Fact]
    public async Task Under_a_lock_nobody_else_is_at_work()
    {
        var atWork = 0;
        var most = 0;
        var done = 0;
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() =>
        {
            using var connection = Storage.GetConnection();
            for (var i = 0; i < 20; i++)
            {
                using var held = connection.AcquireDistributedLock("paper", TimeSpan.FromMinutes(1));
                most = Math.Max(most, Interlocked.Increment(ref atWork));
                Thread.Yield();
                Interlocked.Decrement(ref atWork);
                done++;
            }
        }, Cancel)));
        Assert.Equal((1, 120), (most, done));
    }
}
