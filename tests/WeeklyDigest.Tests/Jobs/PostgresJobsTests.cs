using System.Globalization;
using Hangfire.Storage;
using Npgsql;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage;
using WeeklyDigest.Tests.Databases;

namespace WeeklyDigest.Tests.Jobs;

public sealed class PostgresJobsTests : IDisposable
{
    private readonly string connection = SharedPostgres.NewJobDatabase();

    private string Name => new NpgsqlConnectionStringBuilder(connection).Database!;

    public void Dispose() => SharedPostgres.Server.Drop(connection);

    [Fact]
    public async Task Tables_of_a_newer_version_are_refused_at_the_start_and_can_be_dropped()
    {
        var known = PostgresJobs.NewestVersion;
        Assert.Equal(known, SharedPostgres.Server.Scalar<int>("SELECT version FROM hangfire.schema", Name));
        SharedPostgres.Server.Execute("UPDATE hangfire.schema SET version = version + 1", Name);

        var result = await ServeAsync();

        Assert.Equal(
            (1, "", $"The jobs in the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}, schema hangfire, were made by a newer version of this program (their version is {known + 1}, "
                + $"this one knows up to {known}). Use that version; or, with every server stopped, run DROP SCHEMA hangfire CASCADE there: jobs that wait and the history of jobs "
                + "are lost, mailings and what was sent are not.\n"),
            (result.ExitCode, result.Out, result.Error.ReplaceLineEndings("\n")));

        SharedPostgres.Server.Execute("DROP SCHEMA hangfire CASCADE", Name);
        using var database = Database.Open(SharedPostgres.Options(connection), TimeProvider.System);
        PostgresJobs.Open(database, connection, TimeSpan.FromDays(1));
        Assert.Equal(known, SharedPostgres.Server.Scalar<int>("SELECT version FROM hangfire.schema", Name));
    }

    // The one is found out when the storage is opened, the other when the recurring jobs are written.
    [Theory]
    [InlineData("DROP TABLE hangfire.job, hangfire.lock CASCADE", "Tables of the jobs are gone from {0}: hangfire.job, hangfire.lock. ")]
    [InlineData("ALTER TABLE hangfire.hash RENAME COLUMN value TO other", "T{1} refused: column \"value\" does not exist (42703). So the tables of the jobs, schema hangfire, cannot be used. ")]
    public async Task Broken_tables_end_a_start_in_words_that_say_how_to_have_others(string damage, string words)
    {
        SharedPostgres.Server.Execute(damage, Name);
        var place = $"the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}";

        var result = await ServeAsync();

        Assert.Equal(
            (1, "", string.Format(CultureInfo.InvariantCulture, words, place, place[1..])
                + "With every server stopped, run DROP SCHEMA hangfire CASCADE there: jobs that wait and the history of jobs are lost, mailings and what was sent are not; the next start makes them anew.\n"),
            (result.ExitCode, result.Out, result.Error.ReplaceLineEndings("\n")));
    }

    [Fact]
    public void A_lock_that_a_killed_node_left_is_told_as_that()
    {
        SharedPostgres.Server.Execute("INSERT INTO hangfire.lock (resource, updatecount, acquired) VALUES ('hangfire:lock:left', 0, now())", Name);
        using var database = Database.Open(SharedPostgres.Options(connection), TimeProvider.System);
        using var jobs = PostgresJobs.Open(database, connection, TimeSpan.FromDays(1)).GetConnection();
        Assert.Equal("hangfire:lock:left", Assert.ThrowsAny<DistributedLockTimeoutException>(() => jobs.AcquireDistributedLock("lock:left", TimeSpan.Zero)).Resource);
    }

    private async Task<CommandResult> ServeAsync()
    {
        using var workspace = new Workspace().Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Storage:Provider", "postgres").Set("Storage:ConnectionString", connection);
        return await workspace.RunAsync("serve", "--urls", "http://127.0.0.1:0");
    }
}
