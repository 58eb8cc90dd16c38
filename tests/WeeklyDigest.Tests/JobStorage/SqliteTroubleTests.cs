using Hangfire;
using Hangfire.States;
using Hangfire.Storage;
using Hangfire.Storage.SQLite;
using Hangfire.Storage.SQLite.Database;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>The database cannot be written for a while: it says so, nothing is half done, and it goes on afterwards.</summary>
public sealed class SqliteTroubleTests : IDisposable
{
    private readonly SqliteJobPlace place = new();
    private readonly SQLiteStorage storage;

    public SqliteTroubleTests()
        => storage = new SQLiteStorage(place.File, new SQLiteStorageOptions { BusyTimeout = TimeSpan.FromMilliseconds(50), QueuePollInterval = TimeSpan.FromMilliseconds(50) });

    public void Dispose()
    {
        storage.Dispose();
        place.Dispose();
    }

    [Fact]
    public void A_full_disk_is_named_and_leaves_nothing_half_done()
    {
        var client = new BackgroundJobClient(storage);
        FillDisk();
        var failure = Assert.Throws<BackgroundJobClientException>(() => client.Enqueue(() => SampleJobs.Say(new string('x', 100_000))));
        var cause = Assert.IsType<SQLiteStorageException>(failure.InnerException);
        Assert.Equal($"The disk with the job database {place.File} is full. Nothing of the last change was kept; it goes on when there is room.", cause.Message);
        MakeRoom();
        client.Enqueue(() => SampleJobs.Say(new string('x', 100_000)));
        Assert.Equal(1, storage.GetMonitoringApi().EnqueuedCount("default"));
        using var connection = (JobStorageConnection)storage.GetConnection();
        Assert.Null(connection.GetJobData("2"));
    }

    [Fact]
    public void So_is_one_that_has_no_room_for_the_shared_memory_of_the_first_connection()
    {
        var failure = new SqliteException("SQLite Error 10: 'disk I/O error'.", SQLITE_IOERR, SQLITE_IOERR_SHMSIZE);
        Assert.Contains("jobs.db is full.", Trouble.Explain(failure, place.File).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_transaction_that_fails_in_the_middle_is_taken_back_whole()
    {
        using var connection = (JobStorageConnection)storage.GetConnection();
        FillDisk();
        using (var transaction = (JobStorageTransaction)connection.CreateWriteTransaction())
        {
            transaction.IncrementCounter("c");
            transaction.AddToSet("s", new string('x', 1_000_000));
            Assert.Throws<SQLiteStorageException>(transaction.Commit);
        }
        Assert.Equal((0L, 0L), (connection.GetCounter("c"), connection.GetSetCount("s")));
    }

    [Fact]
    public void Another_program_that_holds_the_file_is_named_and_readers_go_on()
    {
        using var other = new OtherProgram(place.File, "BEGIN IMMEDIATE");
        using var connection = (JobStorageConnection)storage.GetConnection();
        var failure = Assert.Throws<SQLiteStorageException>(() => connection.SetRangeInHash("h", [new("a", "1")]));
        Assert.Equal($"Another program keeps the job database {place.File} busy: end it, or wait until it is done.", failure.Message);
        Assert.Null(connection.GetAllEntriesFromHash("h"));
        other.Run("ROLLBACK");
        connection.SetRangeInHash("h", [new("a", "1")]);
        Assert.Equal("1", connection.GetValueFromHash("h", "a"));
    }

    [Fact]
    public async Task What_cannot_be_let_go_of_is_let_go_of_later()
    {
        var id = new BackgroundJobClient(storage).Enqueue(() => SampleJobs.Say("x"));
        using var connection = storage.GetConnection();
        var held = connection.AcquireDistributedLock("paper", TimeSpan.Zero);
        var job = connection.FetchNextJob(["default"], TestContext.Current.CancellationToken);
        using (new OtherProgram(place.File, "BEGIN IMMEDIATE"))
        {
            job.Dispose();
            held.Dispose();
            Assert.Equal(0, storage.GetMonitoringApi().EnqueuedCount("default"));
        }
        await Eventually.HoldsAsync(() => storage.GetMonitoringApi().EnqueuedCount("default") == 1, "the job is free again");
        using var other = storage.GetConnection();
        other.AcquireDistributedLock("paper", TimeSpan.FromSeconds(20)).Dispose();
        Assert.Equal(id, other.FetchNextJob(["default"], TestContext.Current.CancellationToken).JobId);
    }

    [Fact]
    public async Task Workers_go_on_when_the_trouble_is_over()
    {
        var client = new BackgroundJobClient(storage);
        using var server = new BackgroundJobServer(new BackgroundJobServerOptions { Activator = new JobActivator(), WorkerCount = 2, ShutdownTimeout = TimeSpan.FromSeconds(10), StopTimeout = TimeSpan.FromSeconds(5) }, storage);
        var before = client.Enqueue(() => SampleJobs.Say("x"));
        await SucceedsAsync(before);
        using (new OtherProgram(place.File, "BEGIN IMMEDIATE"))
        {
            Assert.Throws<BackgroundJobClientException>(() => client.Enqueue(() => SampleJobs.Say("x")));
        }
        var ids = Enumerable.Range(0, 10).Select(_ => client.Create(Hangfire.Common.Job.FromExpression(() => SampleJobs.Say("x")), new EnqueuedState())).ToList();
        foreach (var id in ids) await SucceedsAsync(id);
    }

    private Task SucceedsAsync(string id)
    {
        var connection = storage.GetConnection();
        return Eventually.HoldsAsync(() => connection.GetJobData(id)?.State == "Succeeded", $"job {id} succeeds", TimeSpan.FromSeconds(60));
    }

    // SQLite's own limit on the file is the same error as a disk without room.
    private void FillDisk() => storage.Database.Write(session => session.Plain("PRAGMA max_page_count = 40").Number());

    private void MakeRoom() => storage.Database.Write(session => session.Plain("PRAGMA max_page_count = 1000000").Number());
}
