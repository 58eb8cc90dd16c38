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
        var log = new LogLines<ClockWatch>();
        using var watch = new ClockWatch(database, time, log);
        await watch.LookAsync(Cancel);
        await watch.LookAsync(Cancel);
        Assert.StartsWith("The clock of this machine shows ", Assert.Single(log.Lines), StringComparison.Ordinal);
        time.Advance(TimeSpan.FromHours(1));
        await watch.LookAsync(Cancel);
        Assert.Equal("The clock of this machine and the database's agree again", log.Lines[^1]);
        Assert.Equal([LogLevel.Error, LogLevel.Warning], log.Levels);
    }

    [Fact]
    public void The_doctor_compares_them()
    {
        using (Database.Open(Options, TimeProvider.System))
        {
        }
        Assert.Contains(Diagnosis.Ok("clock", "The database tells the same time."), DatabaseCheck.Run(Options, "", TimeProvider.System));
        var wrong = DatabaseCheck.Run(Options, "", new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddHours(1))).Single(found => found.Area == "clock");
        Assert.Equal(Health.Problem, wrong.Status);
        Assert.EndsWith(" by the database.", wrong.Message, StringComparison.Ordinal);
    }
}
