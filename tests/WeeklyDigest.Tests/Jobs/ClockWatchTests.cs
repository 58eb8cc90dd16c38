using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Server.Commands.Doctor;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Jobs;

public sealed class ClockWatchTests : IDisposable
{
    private readonly string connection = SharedPostgres.NewJobDatabase();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private StorageOptions Options => new() { Provider = "postgres", ConnectionString = connection };

    public void Dispose() => SharedPostgres.Server.Drop(connection);

    [Fact]
    public async Task A_clock_that_the_database_does_not_share_is_said_once_and_again_when_it_is_right()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddHours(-1));
        using var database = Database.Open(Options, TimeProvider.System);
        var log = new Lines();
        using var watch = new ClockWatch(database, time, log);
        await watch.LookAsync(Cancel);
        await watch.LookAsync(Cancel);
        Assert.StartsWith("Error: The clock of this machine shows ", Assert.Single(log.All), StringComparison.Ordinal);
        time.Advance(TimeSpan.FromHours(1));
        await watch.LookAsync(Cancel);
        Assert.Equal("Warning: The clock of this machine and the database's agree again", log.All[^1]);
    }

    [Fact]
    public void The_doctor_compares_them()
    {
        using (Database.Open(Options, TimeProvider.System))
        {
        }
        Assert.Contains(Diagnosis.Ok("clock", "The database tells the same time."), DatabaseCheck.Run(Options, TimeProvider.System));
        var wrong = DatabaseCheck.Run(Options, new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddHours(1))).Single(found => found.Area == "clock");
        Assert.Equal(Health.Problem, wrong.Status);
        Assert.EndsWith(" by the database.", wrong.Message, StringComparison.Ordinal);
    }

    private sealed class Lines : ILogger<ClockWatch>
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => All.Add($"{logLevel}: {formatter(state, exception)}");
    }
}
