using Hangfire.Storage;
using Microsoft.Extensions.Time.Testing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>Hangfire.PostgreSql as the server uses it, in a database of its own on the shared PostgreSQL.</summary>
public sealed class PostgresJobPlace : IJobStoragePlace
{
    private readonly string connectionString = SharedPostgres.NewJobDatabase();

    public Hangfire.JobStorage Open()
    {
        using var database = Database.Open(SharedPostgres.Options(connectionString), new FakeTimeProvider());
        return PostgresJobs.Open(database, connectionString, TimeSpan.FromDays(1));
    }

    public IReadOnlyCollection<string> Lacks =>
    [
        // Not built by its authors (1.21.1): Hangfire then does the same with the calls of its older contract.
        JobStorageFeatures.Connection.GetUtcDateTime,
        JobStorageFeatures.Connection.GetSetContains,
        JobStorageFeatures.Connection.LimitedGetSetCount,
        JobStorageFeatures.Transaction.AcquireDistributedLock,
        JobStorageFeatures.Transaction.CreateJob,
        JobStorageFeatures.Transaction.SetJobParameter,
        JobStorageFeatures.Monitoring.AwaitingJobs,
        JobStorageFeatures.Monitoring.DeletedStateGraphs,
    ];

    public IReadOnlyCollection<JobStorageHabit> Differs =>
    [
        // Its ids are numbers, and it reads them as such before it looks.
        JobStorageHabit.TakesAnyId,
        // Parameters and states refer to their job, and the server checks that.
        JobStorageHabit.PassesOverMissingJobs,
        // It fills what Hangfire 1.7 asked for; the dashboard then shows a job without them.
        JobStorageHabit.ComesWithSnapshots,
        // It lists the jobs of every state by falling number; the dashboard shows them so.
        JobStorageHabit.ListsOpenJobsOldestFirst,
        // A lock is a row of its table, not of a session: it goes with its own Dispose, or when it is older than DistributedLockTimeout.
        JobStorageHabit.ReleasesLocksWithConnection,
        // It reads ranges by the row's number; scores count where Hangfire looks for what is due.
        JobStorageHabit.OrdersRangesByScore,
        // It numbers the rows the other way round when it trims. Hangfire itself trims no list.
        JobStorageHabit.TrimsFromNewest,
        // PostgreSQL keeps no NUL in a text.
        JobStorageHabit.KeepsNul,
        // It takes the absolute value of a time-out.
        JobStorageHabit.RefusesZeroTimeout,
    ];

    public void Dispose() => SharedPostgres.Server.Drop(connectionString);
}
