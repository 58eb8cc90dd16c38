using Hangfire.Storage;
using Hangfire.Storage.SQLite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Server;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Web;

/// <summary>Hangfire's workers and watches each say that they failed whenever they try again; the log keeps what is news of it.</summary>
public sealed class HangfireLogTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly FakeTimeProvider clock = new();
    private readonly List<string> lines = [];
    private readonly Database database;
    private readonly HangfireLog log;

    public HangfireLogTests()
    {
        database = Database.Open(new StorageOptions { ConnectionString = folder.File("weeklydigest.db") }, clock);
        log = new HangfireLog(new Lines(lines), new KnownTrouble(database, clock));
    }

    public void Dispose()
    {
        database.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void Trouble_of_the_database_is_one_line_until_it_was_quiet_for_a_minute()
    {
        for (var second = 0; second < 300; second++)
        {
            Fail($"Execution Worker:{second} is in the Failed state", new InvalidOperationException("wrapped", new SQLiteStorageException("The disk with jobs.db is full.")));
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(["Hangfire cannot use its storage, and tries again by itself: The disk with jobs.db is full."], lines);
        clock.Advance(TimeSpan.FromMinutes(1));
        Fail("Execution Worker:1 is in the Failed state", new SQLiteStorageException("The disk with jobs.db is full."));
        Assert.Equal(2, lines.Count);
    }

    [Fact]
    public void Other_trouble_is_another_line_and_one_that_says_it_already_stays_as_it_is()
    {
        Fail("Execution Worker:1 is in the Failed state", new SQLiteStorageException("Full."));
        Fail("The job database cannot be watched. Busy.", new SQLiteStorageException("Busy."));
        Fail("The job database cannot be watched. Busy.", new SQLiteStorageException("Busy."));
        Assert.Equal(["Hangfire cannot use its storage, and tries again by itself: Full.", "The job database cannot be watched. Busy."], lines);
    }

    [Fact]
    public void What_is_none_of_the_database_or_lasts_keeps_its_stack_and_is_said_each_time()
    {
        foreach (var failure in new Exception?[] { new InvalidOperationException("a mistake"), new StorageException("damaged", new SQLiteStorageException("damaged")) { IsLasting = true }, null })
        {
            lines.Clear();
            for (var time = 0; time < 2; time++) Fail("Failed to process the job", failure);
            Assert.Equal(Enumerable.Repeat("Failed to process the job" + failure, 2), lines);
        }
    }

    // As Hangfire's library for PostgreSQL has it: why it took no lock, or lost its connection, it told the log before.
    [Fact]
    public void What_does_not_say_what_is_wrong_with_the_database_has_the_words_of_what_did_a_moment_ago()
    {
        var mute = new Exception[] { new DistributedLockTimeoutException("locks:schedulepoller"), new InvalidOperationException("Connection is not open") { Source = "Npgsql" } };
        foreach (var failure in mute) Fail("Not handled this time", failure);
        Assert.Equal(
            [
                "Hangfire cannot use its storage, and tries again by itself: The lock locks:schedulepoller is another server's, or of one that was killed while it held it. It is free within a minute.",
                "Hangfire cannot use its storage, and tries again by itself: The database has ended a connection that was in use.",
            ], lines);
        lines.Clear();
        Fail("Failed to lock with update count", new SQLiteStorageException("It can only be read."));
        foreach (var failure in mute) Fail("Not handled this time", failure);
        Assert.Equal(["Hangfire cannot use its storage, and tries again by itself: It can only be read."], lines);
    }

    private void Fail(string words, Exception? failure) => log.Log(LogLevel.Error, default, words, failure, (state, _) => state);

    private sealed class Lines(List<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => lines.Add(formatter(state, exception) + exception);
    }
}
