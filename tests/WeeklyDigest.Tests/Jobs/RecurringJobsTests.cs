using Hangfire;
using Hangfire.Common;
using Hangfire.Storage;
using Hangfire.Storage.SQLite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Jobs;

public sealed class RecurringJobsTests : IDisposable
{
    private static readonly string[] All = [PreviewJob.Name, WeeklyDigestJob.Name, ScheduleJob.Name];
    private readonly TemporaryFolder folder = new();
    private readonly SQLiteStorage storage;
    private readonly Database database;

    public RecurringJobsTests()
    {
        storage = new SQLiteStorage(folder.File("jobs.db"));
        database = Database.Open(new StorageOptions { ConnectionString = folder.File("weeklydigest.db") }, TimeProvider.System);
    }

    public void Dispose()
    {
        database.Dispose();
        storage.Dispose();
        folder.Dispose();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task There_are_three_of_which_one_shows_the_schedule_and_another_start_changes_nothing()
    {
        await StartAsync("0 9 * * 1");
        var first = Stored(ScheduleJob.Name);
        await StartAsync("0 9 * * 1");
        Assert.Equal(All, Names());
        Assert.Equal((first.NextExecution, first.CreatedAt), (Stored(ScheduleJob.Name).NextExecution, Stored(ScheduleJob.Name).CreatedAt));
        Assert.NotNull(first.NextExecution);
        // What sends runs when somebody triggers it, or when the ledger says so; never because Hangfire's storage says so.
        Assert.Equal((null, null), (Stored(WeeklyDigestJob.Name).NextExecution, Stored(PreviewJob.Name).NextExecution));
    }

    [Fact]
    public async Task Another_schedule_takes_the_place_of_the_old_one()
    {
        await StartAsync("0 9 * * 1");
        await StartAsync("30 14 * * 5", "Europe/Berlin");
        var stored = Stored(ScheduleJob.Name);
        Assert.Equal(("30 14 * * 5", "Europe/Berlin"), (stored.Cron, stored.TimeZoneId));
        var next = TimeZoneInfo.ConvertTimeFromUtc(stored.NextExecution!.Value, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));
        Assert.Equal((DayOfWeek.Friday, 14, 30), (next.DayOfWeek, next.Hour, next.Minute));
    }

    [Fact]
    public async Task What_another_version_left_goes()
    {
        new RecurringJobManager(storage).AddOrUpdate("nightly-cleanup", () => Console.WriteLine(), Cron.Daily());
        // An earlier version let Hangfire itself send at the times of the schedule.
        new RecurringJobManager(storage).AddOrUpdate(WeeklyDigestJob.Name, () => Console.WriteLine(), "0 9 * * 1");
        await StartAsync("0 9 * * 1");
        Assert.Equal(All, Names());
        Assert.Null(Stored(WeeklyDigestJob.Name).NextExecution);
    }

    [Fact]
    public async Task A_schedule_that_is_off_has_no_next_time()
    {
        await StartAsync("0 9 * * 1");
        await database.Schedules.ChangeAsync(new Schedule("0 9 * * 1", "UTC", false, TimeProvider.System.GetUtcNow()), Cancel);
        await StartAsync("0 9 * * 1");
        Assert.Null(Stored(ScheduleJob.Name).NextExecution);
    }

    [Fact]
    public async Task A_start_waits_for_a_lock_that_a_killed_server_left()
    {
        var held = new HeldUp(new RecurringJobManager(storage), refusals: 2);
        await StartAsync("0 9 * * 1", manager: held);
        Assert.Equal(0, held.Refusals);
        Assert.Equal(All, Names());
        Assert.NotNull(Stored(ScheduleJob.Name).NextExecution);
    }

    [Fact]
    public async Task A_changed_schedule_is_shown_once_a_lock_of_another_server_is_free()
    {
        await StartAsync("0 9 * * 1");
        await database.Schedules.ChangeAsync(new Schedule("30 14 * * 5", "UTC", true, TimeProvider.System.GetUtcNow()), Cancel);
        var held = new HeldUp(new RecurringJobManager(storage), refusals: 2);
        using var jobs = Jobs("0 9 * * 1", manager: held);
        await jobs.ShowAsync();
        await Eventually.HoldsAsync(() => Stored(ScheduleJob.Name).Cron == "30 14 * * 5", "the new times");
        Assert.Equal(0, held.Refusals);
    }

    [Fact]
    public async Task A_node_with_older_settings_leaves_the_schedule_that_was_changed_on_its_page_as_it_is()
    {
        await StartAsync("0 9 * * 1");
        await StartAsync("0 10 * * 2");
        await database.Schedules.ChangeAsync(new Schedule("30 14 * * 5", "UTC", true, TimeProvider.System.GetUtcNow()), Cancel);
        using var jobs = Jobs("0 9 * * 1");
        await jobs.ShowAsync();
        await Eventually.HoldsAsync(() => Stored(ScheduleJob.Name).Cron != "0 10 * * 2", "other times");
        Assert.Equal(("30 14 * * 5", "30 14 * * 5"), (Stored(ScheduleJob.Name).Cron, (await database.Schedules.FindAsync(Cancel))!.Cron));
    }

    [Fact]
    public async Task One_that_was_deleted_is_back_within_a_minute()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var jobs = Jobs("0 9 * * 1", time: clock);
        await jobs.StartAsync(Cancel);
        var manager = new RecurringJobManager(storage);
        manager.RemoveIfExists(WeeklyDigestJob.Name);
        manager.RemoveIfExists(ScheduleJob.Name);
        await Eventually.HoldsAsync(
            () =>
            {
                clock.Advance(RecurringJobs.Interval);
                return Names().SequenceEqual(All);
            },
            "all are there again");
        Assert.Equal("0 9 * * 1", Stored(ScheduleJob.Name).Cron);
        await jobs.StopAsync(Cancel);
    }

    // The clock ran years ahead when Hangfire worked it out, and is right again.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_wrong_next_time_is_put_right_within_a_minute_and_at_a_start(bool isStarted)
    {
        await StartAsync("0 9 * * 1");
        var right = Stored(ScheduleJob.Name).NextExecution;
        var last = new RecurringJobManager(storage).TriggerJob(ScheduleJob.Name);
        var before = Stored(ScheduleJob.Name);
        Assert.NotNull(before.LastExecution);
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var jobs = Jobs("0 9 * * 1", time: clock);
        if (!isStarted) await jobs.StartAsync(Cancel);
        SetNext(new DateTime(2061, 1, 3, 9, 0, 0, DateTimeKind.Utc));
        if (isStarted) await jobs.StartAsync(Cancel);
        await Eventually.HoldsAsync(
            () =>
            {
                if (!isStarted) clock.Advance(RecurringJobs.Interval);
                return Names().SequenceEqual(All) && Stored(ScheduleJob.Name).NextExecution == right;
            },
            "the time that is right");
        var after = Stored(ScheduleJob.Name);
        Assert.Equal((before.LastExecution, last, before.CreatedAt), (after.LastExecution, after.LastJobId, after.CreatedAt));
        await jobs.StopAsync(Cancel);
    }

    // It has come: Hangfire is about to run it, and works out the next one then.
    [Fact]
    public async Task A_next_time_that_has_come_is_left_to_Hangfire()
    {
        await StartAsync("0 9 * * 1");
        var come = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-2);
        SetNext(come);
        await StartAsync("0 9 * * 1");
        Assert.Equal(come, Stored(ScheduleJob.Name).NextExecution!.Value, TimeSpan.FromSeconds(1));
    }

    public static TheoryData<Exception> Troubles =>
        [new StorageException("The jobs are damaged.") { IsLasting = true }, new InvalidOperationException("The connection is closed."), new TimeZoneNotFoundException("No such zone.")];

    // Another node may have chosen a zone that this one's system does not know.
    [Theory]
    [MemberData(nameof(Troubles), DisableDiscoveryEnumeration = true)]
    public async Task Whatever_keeps_them_from_being_put_back_ends_no_server_and_is_said_once(Exception why)
    {
        await StartAsync("0 9 * * 1");
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var held = new HeldUp(new RecurringJobManager(storage), refusals: 0, why);
        var log = new LogLines<RecurringJobs>();
        using var jobs = Jobs("0 9 * * 1", manager: held, time: clock, log: log);
        await jobs.StartAsync(Cancel);
        held.Refusals = 3;
        new RecurringJobManager(storage).RemoveIfExists(ScheduleJob.Name);
        await Eventually.HoldsAsync(
            () =>
            {
                clock.Advance(RecurringJobs.Interval);
                return Names().SequenceEqual(All);
            },
            "all are there again");
        Assert.False(jobs.ExecuteTask!.IsCompleted);
        Assert.Single(log.Lines, line => line.Contains(why.Message, StringComparison.Ordinal));
        await jobs.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_start_that_cannot_write_them_says_what_it_could_not_write()
    {
        var full = new HeldUp(new RecurringJobManager(storage), refusals: 1, new SqliteException("The job storage is locked.", 5));
        var refused = await Assert.ThrowsAsync<StorageException>(() => StartAsync("0 9 * * 1", manager: full));
        Assert.Equal("The jobs cannot be written: The job storage is locked.", refused.Message);
    }

    private async Task StartAsync(string cron, string zone = "UTC", IRecurringJobManager? manager = null)
    {
        using var jobs = Jobs(cron, zone, manager);
        await jobs.StartAsync(Cancel);
        await jobs.StopAsync(Cancel);
    }

    private RecurringJobs Jobs(string cron, string zone = "UTC", IRecurringJobManager? manager = null, TimeProvider? time = null, ILogger<RecurringJobs>? log = null)
    {
        var schedule = new WeeklySchedule(
            database.Schedules, new ScheduleSettings(cron, TimeZoneInfo.FindSystemTimeZoneById(zone)), TimeProvider.System, NullLogger<WeeklySchedule>.Instance);
        return new RecurringJobs(storage, manager ?? new RecurringJobManager(storage), schedule, database, time ?? TimeProvider.System, log ?? NullLogger<RecurringJobs>.Instance);
    }

    // As Hangfire itself keeps it: in the job's hash, and in the set it takes what is due from.
    private void SetNext(DateTime next)
    {
        using var connection = storage.GetConnection();
        using var change = connection.CreateWriteTransaction();
        change.SetRangeInHash("recurring-job:" + ScheduleJob.Name, [KeyValuePair.Create("NextExecution", JobHelper.SerializeDateTime(next))]);
        change.AddToSet("recurring-jobs", ScheduleJob.Name, JobHelper.ToTimestamp(next));
        change.Commit();
    }

    private RecurringJobDto Stored(string name)
    {
        using var connection = storage.GetConnection();
        return connection.GetRecurringJobs().Single(job => job.Id == name);
    }

    private List<string> Names()
    {
        using var connection = storage.GetConnection();
        return [.. connection.GetRecurringJobs().Select(job => job.Id).Order(StringComparer.Ordinal)];
    }

    /// <summary>Somebody else's lock outlasts so many tries to write the job of the schedule; or it fails otherwise.</summary>
    private sealed class HeldUp(RecurringJobManager manager, int refusals, Exception? why = null) : IRecurringJobManager
    {
        public int Refusals { get; set; } = refusals;

        public void AddOrUpdate(string recurringJobId, Job job, string cronExpression, RecurringJobOptions options)
        {
            if (recurringJobId == ScheduleJob.Name && Refusals > 0)
            {
                Refusals--;
                throw why ?? new DistributedLockTimeoutException("recurring-job:" + recurringJobId);
            }
            manager.AddOrUpdate(recurringJobId, job, cronExpression, options);
        }

        public void Trigger(string recurringJobId) => manager.Trigger(recurringJobId);

        public void RemoveIfExists(string recurringJobId) => manager.RemoveIfExists(recurringJobId);
    }
}
