using Hangfire;
using Hangfire.Storage;
using Hangfire.Storage.SQLite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Tests.Jobs;

public sealed class RecurringJobsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly SQLiteStorage storage;
    private readonly FakeTimeProvider clock = new(TimeProvider.System.GetUtcNow());
    private readonly LogLines log = new();

    public RecurringJobsTests() => storage = new SQLiteStorage(folder.File("jobs.db"));

    public void Dispose()
    {
        storage.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void There_are_two_and_another_start_changes_nothing()
    {
        Write("0 9 * * 1");
        var first = Stored(WeeklyDigestJob.Name);
        Write("0 9 * * 1");
        Assert.Equal([PreviewJob.Name, WeeklyDigestJob.Name], Names());
        Assert.Equal((first.NextExecution, first.CreatedAt), (Stored(WeeklyDigestJob.Name).NextExecution, Stored(WeeklyDigestJob.Name).CreatedAt));
    }

    [Fact]
    public void Another_schedule_takes_the_place_of_the_old_one()
    {
        Write("0 9 * * 1");
        Write("30 14 * * 5", "Europe/Berlin");
        var stored = Stored(WeeklyDigestJob.Name);
        Assert.Equal(("30 14 * * 5", "Europe/Berlin"), (stored.Cron, stored.TimeZoneId));
        var next = TimeZoneInfo.ConvertTimeFromUtc(stored.NextExecution!.Value, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));
        Assert.Equal((DayOfWeek.Friday, 14, 30), (next.DayOfWeek, next.Hour, next.Minute));
    }

    [Fact]
    public void What_another_version_left_goes()
    {
        new RecurringJobManager(storage).AddOrUpdate("nightly-cleanup", () => Console.WriteLine(), Cron.Daily());
        Write("0 9 * * 1");
        Assert.Equal([PreviewJob.Name, WeeklyDigestJob.Name], Names());
    }

    [Theory]
    [InlineData(11, true)]
    [InlineData(13, false)]
    public void A_run_that_was_missed_is_caught_up_for_twelve_hours(int hoursLate, bool caughtUp)
    {
        Write("0 9 * * 1");
        Mark();
        clock.SetUtcNow(new DateTimeOffset(DateTime.SpecifyKind(Stored(WeeklyDigestJob.Name).NextExecution!.Value, DateTimeKind.Utc)).AddHours(hoursLate));
        Write("0 9 * * 1");
        Assert.Equal(caughtUp, IsMarked());
        Assert.NotNull(Stored(WeeklyDigestJob.Name).NextExecution);
        Assert.Equal(!caughtUp, log.Lines.Any(line => line.StartsWith("weekly-digest was due at ", StringComparison.Ordinal)));
    }

    // Is there for as long as the recurring job is not written anew from nothing.
    private void Mark()
    {
        using var connection = storage.GetConnection();
        connection.SetRangeInHash("recurring-job:" + WeeklyDigestJob.Name, [new("Mark", "1")]);
    }

    private bool IsMarked()
    {
        using var connection = storage.GetConnection();
        return connection.GetAllEntriesFromHash("recurring-job:" + WeeklyDigestJob.Name).ContainsKey("Mark");
    }

    private void Write(string cron, string zone = "UTC")
        => new RecurringJobs(storage, new RecurringJobManager(storage), new ScheduleSettings(cron, TimeZoneInfo.FindSystemTimeZoneById(zone)), clock, log).Write();

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

    private sealed class LogLines : ILogger<RecurringJobs>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));
    }
}
