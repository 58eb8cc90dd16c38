using Hangfire.States;
using Hangfire.Storage;
using Hangfire.Storage.SQLite;
using Hangfire.Storage.SQLite.Owners;
using Hangfire.Storage.SQLite.Queues;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>Who is alive, who is not, and what becomes of what they held. Two storages on one file share nothing but the file, as two processes do.</summary>
public sealed class SqliteOwnerTests : IDisposable
{
    private readonly SqliteJobPlace place = new();
    private readonly SQLiteStorage one;
    private readonly SQLiteStorage two;
    private readonly OwnerWatch watchOfOne;
    private readonly OwnerWatch watchOfTwo;

    public SqliteOwnerTests()
    {
        (one, two) = ((SQLiteStorage)place.Open(), (SQLiteStorage)place.Open());
        // These tests beat themselves: a storage's own thread starts with a connection's first fetch or lock, and there is none here.
        (watchOfOne, watchOfTwo) = (new OwnerWatch(one.Database, one.Owner), new OwnerWatch(two.Database, two.Owner));
    }

    public void Dispose()
    {
        one.Dispose();
        two.Dispose();
        place.Dispose();
    }

    [Fact]
    public void A_job_of_a_process_that_was_killed_is_free_at_the_next_look()
    {
        var id = Enqueue();
        var held = Claim(one);
        var ghost = Kill(one);
        Assert.False(watchOfTwo.Beat());
        Assert.Equal((0, true), watchOfTwo.LookAtFiles());
        Assert.Equal(id, Claim(two).JobId);
        Assert.False(File.Exists(ghost));
        Assert.Equal(id, held.JobId);
    }

    [Fact]
    public void Locks_and_servers_of_a_process_that_was_killed_go_too()
    {
        one.Locks.Take("paper", TimeSpan.Zero);
        Announce(one, "server-1");
        Assert.Throws<DistributedLockTimeoutException>(() => two.Locks.Take("paper", TimeSpan.Zero));
        Kill(one);
        watchOfTwo.LookAtFiles();
        two.Locks.Take("paper", TimeSpan.Zero);
        Assert.Empty(two.GetMonitoringApi().Servers());
    }

    [Fact]
    public void A_process_that_lives_keeps_its_job_however_long_it_takes()
    {
        Enqueue();
        Claim(one);
        for (var lease = 0; lease < 10 * OwnerWatch.BeatsOfALease; lease++)
        {
            Assert.False(watchOfOne.Beat());
            Assert.False(watchOfTwo.Beat());
            Assert.Equal((1, false), watchOfTwo.LookAtFiles());
        }
        Assert.Equal(0, two.GetMonitoringApi().EnqueuedCount("default"));
    }

    [Fact]
    public void A_process_that_is_silent_for_a_lease_loses_its_job_and_what_it_says_later_changes_nothing()
    {
        var id = Enqueue();
        var lost = Claim(one);
        SilentForALease();
        var taken = Claim(two);
        Assert.Equal(id, taken.JobId);

        Finish(one, lost);
        lost.Requeue();
        Assert.Null(one.GetConnection().GetJobData(id).LoadException);
        Assert.Equal("Enqueued", one.GetConnection().GetJobData(id).State);
        Assert.Equal((0L, 1L), (one.GetMonitoringApi().EnqueuedCount("default"), one.GetMonitoringApi().FetchedCount("default")));

        Finish(two, taken);
        Assert.Equal("Succeeded", one.GetConnection().GetJobData(id).State);
        Assert.Equal(0, one.GetMonitoringApi().FetchedCount("default"));
    }

    [Fact]
    public void The_same_holds_for_an_acknowledgement_outside_of_a_transaction()
    {
        Enqueue();
        var lost = Claim(one);
        SilentForALease();
        Claim(two);
        lost.RemoveFromQueue();
        Assert.Equal(1, two.GetMonitoringApi().FetchedCount("default"));
    }

    [Fact]
    public void A_job_that_was_given_back_and_not_begun_again_may_still_be_finished()
    {
        var id = Enqueue();
        var lost = Claim(one);
        SilentForALease();
        Finish(one, lost);
        Assert.Equal("Succeeded", two.GetConnection().GetJobData(id).State);
        Assert.Equal(0, two.GetMonitoringApi().EnqueuedCount("default"));
    }

    [Fact]
    public void A_transaction_whose_lock_was_lost_changes_nothing_and_says_so()
    {
        using var connection = one.GetConnection();
        using var transaction = (JobStorageTransaction)connection.CreateWriteTransaction();
        transaction.AcquireDistributedLock("paper", TimeSpan.Zero);
        transaction.AddToSet("s", "v");
        two.Database.Write(session => session.Plain("DELETE FROM owner").Run());
        Assert.Equal("paper", Assert.Throws<DistributedLockTimeoutException>(transaction.Commit).Resource);
        Assert.Empty(connection.GetAllItemsFromSet("s"));
    }

    [Fact]
    public void A_process_that_was_taken_for_dead_goes_on_under_a_new_row()
    {
        Enqueue();
        Claim(one);
        Announce(one, "server-1");
        SilentForALease();
        Assert.Throws<BackgroundServerGoneException>(() => one.GetConnection().Heartbeat("server-1"));
        Claim(one);
        Announce(one, "server-1");
        watchOfOne.Beat();
        Assert.False(watchOfTwo.Beat());
        Assert.Equal(1, two.GetMonitoringApi().FetchedCount("default"));
    }

    [Fact]
    public void Nobodys_lease_runs_while_nobody_can_beat()
    {
        Enqueue();
        Claim(one);
        for (var beat = 0; beat < OwnerWatch.BeatsOfALease; beat++) watchOfTwo.Beat();
        using var impatient = new SQLiteStorage(place.File, new SQLiteStorageOptions { BusyTimeout = TimeSpan.Zero });
        using (var other = new OtherProgram(place.File, "BEGIN IMMEDIATE"))
        {
            var watch = new OwnerWatch(impatient.Database, impatient.Owner);
            for (var beat = 0; beat < 3 * OwnerWatch.BeatsOfALease; beat++) Assert.Throws<SQLiteStorageException>(() => watch.Beat());
        }
        watchOfOne.Beat();
        Assert.False(watchOfTwo.Beat());
        Assert.Equal(0, two.GetMonitoringApi().EnqueuedCount("default"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nobodys_lease_runs_while_signs_of_life_cannot_be_kept(bool hasShownItself)
    {
        Enqueue();
        Claim(one);
        Assert.False(watchOfOne.Beat());
        if (hasShownItself) Assert.False(watchOfTwo.Beat());
        // A full disk lets a transaction begin, and refuses it at its end if it has changed anything.
        Change("CREATE TABLE room (id INTEGER PRIMARY KEY); CREATE TABLE need (id INTEGER REFERENCES room (id) DEFERRABLE INITIALLY DEFERRED)");
        foreach (var change in (string[])["INSERT", "UPDATE", "DELETE"])
            Change($"CREATE TEMP TRIGGER full_{change} AFTER {change} ON owner BEGIN INSERT INTO need VALUES (1); END");
        for (var beat = 0; beat < 3 * OwnerWatch.BeatsOfALease; beat++) Assert.Throws<SQLiteStorageException>(() => watchOfTwo.Beat());
        Change("DROP TRIGGER full_INSERT; DROP TRIGGER full_UPDATE; DROP TRIGGER full_DELETE");
        // Both live: it does not matter who comes first when there is room again.
        Assert.False(watchOfTwo.Beat());
        Assert.Equal(0, two.GetMonitoringApi().EnqueuedCount("default"));

        void Change(string script) => two.Database.Write(session =>
        {
            session.Execute(script);
            return 0;
        });
    }

    [Fact]
    public void Without_the_files_the_signs_of_life_tell()
    {
        Enqueue();
        Claim(one);
        File.Delete(Path.Combine(one.Owner.Folder, one.Owner.Name));
        Assert.Equal((1, false), watchOfTwo.LookAtFiles());
        SilentForALease();
        Claim(two);
    }

    [Fact]
    public void An_orderly_end_gives_everything_back_at_once()
    {
        using var third = (SQLiteStorage)place.Open();
        var id = Enqueue();
        Claim(third);
        third.Locks.Take("paper", TimeSpan.Zero);
        third.Dispose();
        Assert.Equal(id, Claim(two).JobId);
        two.Locks.Take("paper", TimeSpan.Zero);
        Assert.Single(Directory.GetFiles(two.Owner.Folder));
    }

    private string Enqueue()
    {
        using var connection = one.GetConnection();
        var id = connection.CreateExpiredJob(Hangfire.Common.Job.FromExpression(() => SampleJobs.Say("x")), new Dictionary<string, string>(), DateTime.UnixEpoch, TimeSpan.FromDays(30000));
        using var transaction = connection.CreateWriteTransaction();
        transaction.SetJobState(id, new EnqueuedState());
        transaction.AddToQueue("default", id);
        transaction.Commit();
        return id;
    }

    private static SQLiteFetchedJob Claim(SQLiteStorage storage)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        return storage.Queue.Fetch(["default"], limit.Token);
    }

    private static void Finish(SQLiteStorage storage, SQLiteFetchedJob job)
    {
        using var connection = storage.GetConnection();
        using var transaction = (JobStorageTransaction)connection.CreateWriteTransaction();
        transaction.SetJobState(job.JobId, new SucceededState(null, 1, 1));
        transaction.RemoveFromQueue(job);
        transaction.Commit();
    }

    private static void Announce(SQLiteStorage storage, string server) => storage.Database.Write(session => session["AnnounceServer"]
        .With("@server", server).With("@owner", storage.Owner.IdIn(session)).With("@queues", "[]").With("@workers", 1).With("@now", 0).Run());

    private void SilentForALease()
    {
        for (var beat = 0; beat < OwnerWatch.BeatsOfALease; beat++) Assert.False(watchOfTwo.Beat());
        Assert.True(watchOfTwo.Beat());
    }

    // What a killed process leaves: its row, and its file, which nobody has locked.
    private static string Kill(SQLiteStorage storage)
    {
        var file = Path.Combine(storage.Owner.Folder, storage.Owner.Name);
        storage.Owner.Dispose();
        File.WriteAllText(file, "");
        return file;
    }
}
