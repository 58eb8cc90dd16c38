using Hangfire;
using Hangfire.Storage;
using Hangfire.Storage.SQLite;
using Microsoft.Extensions.Time.Testing;

namespace WeeklyDigest.Tests.JobStorage;

public sealed class SqliteJobFileTests : IDisposable
{
    private readonly SqliteJobPlace place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public void Jobs_schedules_and_history_are_there_after_a_restart()
    {
        string enqueued, scheduled, finished;
        using (var storage = Open())
        {
            var client = new BackgroundJobClient(storage);
            enqueued = client.Enqueue(() => SampleJobs.Say("x"));
            scheduled = client.Schedule(() => SampleJobs.Say("y"), TimeSpan.FromDays(1));
            finished = client.Enqueue(() => SampleJobs.Say("z"));
            client.Delete(finished);
            new RecurringJobManager(storage).AddOrUpdate("weekly", () => SampleJobs.Say("w"), Cron.Weekly());
        }
        using var again = Open();
        using var connection = again.GetConnection();
        Assert.Equal(("Enqueued", "Scheduled", "Deleted"), (State(enqueued), State(scheduled), State(finished)));
        Assert.Equal("weekly", Assert.Single(connection.GetRecurringJobs()).Id);
        Assert.Equal(1, again.GetMonitoringApi().GetStatistics().Deleted);
        string State(string id) => connection.GetJobData(id).State;
    }

    [Fact]
    public void The_file_is_made_with_its_folder_and_only_its_owner_can_read_it()
    {
        Open().Dispose();
        using var again = Open("Data Source=" + place.File);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(place.File));
    }

    [Fact]
    public void A_commit_is_on_the_disk_and_a_claim_need_not_be()
    {
        using var storage = Open();
        Assert.Equal(2, storage.Database.Write(session => session.Plain("PRAGMA synchronous").Number()));
        Assert.Equal(1, storage.Database.Write(session => session.Plain("PRAGMA synchronous").Number(), mustSurvivePowerFailure: false));
        Assert.Equal(2, storage.Database.Write(session => session.Plain("PRAGMA synchronous").Number()));
        Assert.Equal(("wal", 1L), (storage.Database.Write(session => session.Plain("PRAGMA journal_mode").Text()), storage.Database.Write(session => session.Plain("PRAGMA foreign_keys").Number())));
    }

    [Fact]
    public void A_look_says_what_opening_would_and_changes_nothing()
    {
        Assert.False(Look());
        Assert.False(Directory.Exists(Path.GetDirectoryName(place.File)) && File.Exists(place.File));
        Open().Dispose();
        var before = File.ReadAllBytes(place.File);
        Assert.True(Look());
        Assert.Equal(before, File.ReadAllBytes(place.File));

        new OtherProgram(place.File, "PRAGMA user_version = 99").Dispose();
        Assert.Equal($"The job database {place.File} was made by a newer version (schema 99, this one knows 1). Use that version, or move the file away.", Assert.Throws<SQLiteStorageException>(() => Look()).Message);
        new OtherProgram(place.File, "PRAGMA user_version = 1; PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = (SELECT max(rootpage) FROM sqlite_master) WHERE name = 'job'").Dispose();
        Assert.StartsWith($"The job database {place.File} is damaged (", Assert.Throws<SQLiteStorageException>(() => Look()).Message, StringComparison.Ordinal);
        File.WriteAllText(place.File, "hello");
        Assert.Equal($"The file {place.File} is not a database. Move it away.", Assert.Throws<SQLiteStorageException>(() => Look()).Message);

        bool Look() => SQLiteStorageCheck.Run(place.File, TimeSpan.FromSeconds(10), TimeProvider.System);
    }

    [Fact]
    public void A_file_that_is_replaced_while_it_is_open_is_worked_on_with_and_the_other_left_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A file that is open cannot be deleted there.");
        string other;
        using (var storage = Open())
        {
            var job = new BackgroundJobClient(storage).Enqueue(() => SampleJobs.Say("x"));
            storage.Database.Write(session => storage.Owner.IdIn(session));
            Assert.False(storage.Database.NoticeMove());
            foreach (var file in Directory.GetFiles(Path.GetDirectoryName(place.File)!)) File.Delete(file);
            Directory.Delete(place.File + "-owners", recursive: true);
            Assert.True(storage.Database.NoticeMove());
            Assert.False(storage.Database.NoticeMove());
            Assert.Equal("Enqueued", State(storage, job));
            Assert.False(File.Exists(place.File));

            using var second = Open();
            other = new BackgroundJobClient(second).Enqueue(() => SampleJobs.Say("y"));
            new BackgroundJobClient(storage).Enqueue(() => SampleJobs.Say("z"));
            Assert.Equal((2L, 1L), (storage.GetMonitoringApi().EnqueuedCount("default"), second.GetMonitoringApi().EnqueuedCount("default")));
            storage.Dispose();
            Assert.True(File.Exists(place.File + "-wal"));
        }
        using var again = Open();
        Assert.Equal("Enqueued", State(again, other));

        static string State(SQLiteStorage storage, string job)
        {
            using var connection = storage.GetConnection();
            return connection.GetStateData(job).Name;
        }
    }

    [Theory]
    [InlineData("DROP TABLE server; DROP INDEX job_by_expiry", "index job_by_expiry, index server_by_owner, table server")]
    [InlineData("ALTER TABLE job DROP COLUMN arguments; ALTER TABLE job_parameter RENAME COLUMN value TO other", "column job.arguments, column job_parameter.value")]
    public void A_file_that_has_lost_tables_or_columns_is_refused_and_they_are_named(string damage, string lost)
    {
        Open().Dispose();
        new OtherProgram(place.File, damage).Dispose();
        var words = $"The job database {place.File} has lost what belongs to its schema: {lost}. Stop the program and restore a backup, or move the file away to start with an empty one.";
        Assert.Equal(words, Refusal());
        Assert.Equal(words, Assert.Throws<SQLiteStorageException>(() => SQLiteStorageCheck.Run(place.File, TimeSpan.FromSeconds(10), TimeProvider.System)).Message);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("This is a letter to the editor, and it is longer than the header of a database, which has one hundred bytes, so that nobody takes it for one.")]
    public void A_file_that_is_no_database_is_refused_and_left_alone(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(place.File)!);
        File.WriteAllText(place.File, text);
        Assert.Equal($"The file {place.File} is not a database. Move it away.", Refusal());
        Assert.Equal(text, File.ReadAllText(place.File));
    }

    [Fact]
    public void Another_programs_database_is_refused_and_left_alone()
    {
        new OtherProgram(place.File, "CREATE TABLE recipe (name TEXT)").Dispose();
        var before = File.ReadAllBytes(place.File);
        Assert.Equal($"The database {place.File} belongs to another program. Move it away.", Refusal());
        Assert.Equal(before, File.ReadAllBytes(place.File));
    }

    [Fact]
    public void A_newer_schema_is_refused_and_an_older_one_is_brought_up()
    {
        Open().Dispose();
        using (var other = new OtherProgram(place.File, "PRAGMA user_version = 99"))
        {
            Assert.Equal($"The job database {place.File} was made by a newer version (schema 99, this one knows 1). Use that version, or move the file away.", Refusal());
        }
        using var older = new SqliteJobPlace();
        new OtherProgram(older.File, "PRAGMA application_id = 1214663266").Dispose();
        using var storage = (SQLiteStorage)older.Open();
        Assert.Equal(1, storage.Database.Read(session => session.Plain("PRAGMA user_version").Number()));
    }

    [Fact]
    public void A_damaged_file_is_refused()
    {
        Open().Dispose();
        using (var file = File.OpenWrite(place.File))
        {
            file.Position = 100;
            file.Write(Enumerable.Repeat((byte)0xEE, (int)file.Length - 100).ToArray());
        }
        Assert.Contains("is damaged", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_place_where_no_file_can_be_made_or_written_is_refused()
    {
        Open().Dispose();
        Assert.Contains("cannot be created", Refusal(Path.Combine(place.File, "jobs.db")), StringComparison.Ordinal);
        var folder = Path.GetDirectoryName(place.File)!;
        Assert.Equal($"The job database {folder} is a folder, where a file has to be. Move it away.", Refusal(folder));
        Assert.Equal($"The job database {place.File} cannot be written. Make the file and its folder writable for this user.", Refusal($"Data Source={place.File};Mode=ReadOnly"));
    }

    [Theory]
    [InlineData("Data Source=:memory:", "'Data Source=:memory:' names no file. Give the path of the job database.")]
    [InlineData("", "'' names no file. Give the path of the job database.")]
    public void A_connection_string_has_to_name_a_file(string text, string message) => Assert.Equal(message, Refusal(text));

    [Fact]
    public void An_unknown_connection_setting_is_refused_by_name()
        => Assert.StartsWith("The connection string of the job database cannot be read: ", Refusal("Data Source=a.db;Speed=High"), StringComparison.Ordinal);

    [Fact]
    public void What_has_expired_is_swept_in_small_steps()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero));
        var options = new SQLiteStorageOptions { Clock = clock, AutoVacuumSelected = SQLiteStorageOptions.AutoVacuum.INCREMENTAL };
        using var storage = new SQLiteStorage(place.File, options);
        using var connection = (JobStorageConnection)storage.GetConnection();
        var kept = Create(connection, clock, TimeSpan.FromDays(2));
        for (var i = 0; i < 1200; i++) Create(connection, clock, TimeSpan.FromHours(1));
        using (var transaction = (JobStorageTransaction)connection.CreateWriteTransaction())
        {
            transaction.AddRangeToSet("gone", [.. Enumerable.Range(0, 1200).Select(i => $"v{i}")]);
            transaction.AddRangeToSet("kept", ["a"]);
            transaction.InsertToList("gone", "a");
            transaction.SetRangeInHash("gone", [new("a", "1")]);
            transaction.IncrementCounter("gone", TimeSpan.FromHours(1));
            transaction.IncrementCounter("kept");
            foreach (var expire in new[] { transaction.ExpireSet, transaction.ExpireList, (Action<string, TimeSpan>)transaction.ExpireHash }) expire("gone", TimeSpan.FromHours(1));
            transaction.Commit();
        }
        var sweep = new ExpirySweep(storage.Database, options);
        Assert.Equal(0, sweep.Sweep(TestContext.Current.CancellationToken));
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(TimeSpan.Zero, connection.GetSetTtl("gone"));
        Assert.Equal(1200 + 1200 + 3, sweep.Sweep(TestContext.Current.CancellationToken));
        Assert.Equal((0L, 0L, 0L, 0L), (connection.GetSetCount("gone"), connection.GetListCount("gone"), connection.GetHashCount("gone"), connection.GetCounter("gone")));
        Assert.Equal((1L, 1L), (connection.GetSetCount("kept"), connection.GetCounter("kept")));
        Assert.NotNull(connection.GetJobData(kept));
        Assert.Equal((1L, 1L, 0L), storage.Database.Read(session => (
            session.Plain("SELECT count(*) FROM job").Number(), session.Plain("SELECT count(*) FROM job_parameter").Number(), session.Plain("SELECT count(*) FROM key_expiry").Number())));
    }

    private static string Create(JobStorageConnection connection, TimeProvider clock, TimeSpan expireIn) => connection.CreateExpiredJob(
        Hangfire.Common.Job.FromExpression(() => SampleJobs.Say("x")), new Dictionary<string, string> { ["a"] = "1" }, clock.GetUtcNow().UtcDateTime, expireIn);

    private SQLiteStorage Open(string? path = null) => new(path ?? place.File);

    private string Refusal(string? path = null) => Assert.Throws<SQLiteStorageException>(() => Open(path).Dispose()).Message;
}
