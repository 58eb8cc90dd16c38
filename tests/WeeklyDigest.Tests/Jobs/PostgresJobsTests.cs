using System.Globalization;
using Hangfire;
using Hangfire.Storage;
using Npgsql;
using WeeklyDigest.Server.Commands.Doctor;
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
        var known = PostgresJobs.Tables.NewestVersion;
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

    // What can be looked at is found out before anything is opened, and by doctor; the last when the recurring jobs are written.
    [Theory]
    [InlineData("DROP TABLE hangfire.job, hangfire.lock CASCADE", "Tables of the jobs are gone from {0}: hangfire.job, hangfire.lock. ")]
    [InlineData("DROP TABLE hangfire.schema", "Tables of the jobs are gone from {0}: hangfire.schema. ")]
    [InlineData("DELETE FROM hangfire.schema", "The table hangfire.schema in {0} is empty, so that nothing tells which version the tables of the jobs are of. ")]
    [InlineData("DROP SEQUENCE hangfire.job_id_seq CASCADE; ALTER TABLE hangfire.state ALTER id DROP DEFAULT", "Sequences that number what is new in the tables of the jobs are gone from {0}: hangfire.job.id, hangfire.state.id. ")]
    [InlineData("ALTER TABLE hangfire.hash RENAME COLUMN value TO other", "T{1} refused: column \"value\" does not exist (42703). So the tables of the jobs, schema hangfire, cannot be used. ", false)]
    public async Task Broken_tables_end_a_start_in_words_that_say_how_to_have_others(string damage, string words, bool isSeen = true)
    {
        SharedPostgres.Server.Execute(damage, Name);
        var place = $"the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}";
        var expected = string.Format(CultureInfo.InvariantCulture, words, place, place[1..])
            + "With every server stopped, run DROP SCHEMA hangfire CASCADE there: jobs that wait and the history of jobs are lost, mailings and what was sent are not; the next start makes them anew.";

        var result = await ServeAsync();

        Assert.Equal((1, "", expected + "\n"), (result.ExitCode, result.Out, result.Error.ReplaceLineEndings("\n")));
        Assert.Equal(isSeen ? [Diagnosis.Problem("jobs", expected, "`serve` does not start until then.")] : [], LookAtJobs());
    }

    // Found without any right to what is in it; its owner is not told to drop what is not ours.
    [Theory]
    [InlineData("CREATE TABLE hangfire.recipe (name text)")]
    [InlineData("CREATE TABLE hangfire.schema (name text); CREATE TABLE hangfire.job (name text)")]
    [InlineData("CREATE VIEW hangfire.server AS SELECT 1")]
    public async Task A_schema_of_another_program_is_told_as_that_whoever_asks(string strangers)
    {
        SharedPostgres.Server.Execute("DROP SCHEMA hangfire CASCADE; CREATE SCHEMA hangfire; " + strangers, Name);
        var words = $"The schema hangfire in the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port} belongs to another program, or has lost the table schema. Use a database of its own; "
            + "or, where nobody else has anything in it, with every server stopped, run DROP SCHEMA hangfire CASCADE there: jobs that wait and the history of jobs are lost, mailings and what was sent are not; "
            + "the next start makes them anew.";
        await AsPoorAsync(async poor =>
        {
            foreach (var user in (string[])[connection, poor])
            {
                Assert.Equal([Diagnosis.Problem("jobs", words, "`serve` does not start until then.")], LookAtJobs(user));
                var result = await ServeAsync(user);
                Assert.Equal((1, "", words), (result.ExitCode, result.Out, result.Error.TrimEnd()));
            }
        });
    }

    [Fact]
    public async Task Who_may_not_make_the_schema_is_told_that_and_nothing_else()
    {
        SharedPostgres.Server.Execute("DROP SCHEMA hangfire CASCADE", Name);
        await AsPoorAsync(async poor =>
        {
            var result = await ServeAsync(poor);
            Assert.Equal(
                (1, "", $"The user poor_{Name} may not make the schema hangfire, which is not there yet, in the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}. Let the user create there "
                    + $"(GRANT CREATE ON DATABASE \"{Name}\" TO \"poor_{Name}\"), or make it for the user (CREATE SCHEMA hangfire AUTHORIZATION \"poor_{Name}\")."),
                (result.ExitCode, result.Out, result.Error.TrimEnd()));
        });
    }

    [Fact]
    public void Tables_that_are_whole_older_or_still_to_be_made_are_no_problem_to_doctor_and_newer_ones_are()
    {
        Assert.Empty(LookAtJobs());
        SharedPostgres.Server.Execute("UPDATE hangfire.schema SET version = 19; DROP TABLE hangfire.aggregatedcounter", Name);
        Assert.Empty(LookAtJobs());
        SharedPostgres.Server.Execute("UPDATE hangfire.schema SET version = 99", Name);
        Assert.Contains("(their version is 99, this one knows up to ", Assert.Single(LookAtJobs()).Message, StringComparison.Ordinal);
        SharedPostgres.Server.Execute("DROP SCHEMA hangfire CASCADE", Name);
        Assert.Empty(LookAtJobs());
    }

    [Fact]
    public async Task Tables_that_are_gone_altogether_are_a_warning_where_a_server_has_run()
    {
        using (var database = Database.Open(SharedPostgres.Options(connection), TimeProvider.System))
            await database.Schedules.AdoptAsync("0 9 * * 1", "UTC", TimeProvider.System.GetUtcNow(), TestContext.Current.CancellationToken);
        Assert.Empty(LookAtJobs());
        SharedPostgres.Server.Execute("DROP SCHEMA hangfire CASCADE", Name);
        // The schedule comes with a move, before any server has run.
        Assert.Empty(LookAtJobs());
        SharedPostgres.Server.Execute("INSERT INTO weeklydigest.secret (name, value) VALUES ('session-key/one', '')", Name);
        Assert.Equal(
            [Diagnosis.Warning(
                "jobs",
                $"The tables of the jobs, schema hangfire, are not in the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}, with which servers have run.",
                "The next `serve` makes them. Servers that run begin nothing until one more is started or one is restarted; jobs that waited are lost, mailings and what was sent are not.")],
            LookAtJobs());
    }

    [Fact]
    public async Task A_ledger_that_is_gone_is_not_begun_anew_where_the_tables_of_the_jobs_say_that_a_server_has_run()
    {
        Database.Open(SharedPostgres.Options(connection), TimeProvider.System).Dispose();
        Assert.Equal(Health.Ok, LookAtLedger().Status);
        SharedPostgres.Server.Execute("DROP SCHEMA weeklydigest CASCADE", Name);
        var words = $"The tables of the ledger, schema weeklydigest, are gone from the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}, where a server has run: the tables of its jobs, schema hangfire, are there. "
            + "Put a backup back; or, if the ledger is in another database, set Storage:ConnectionString to that. "
            + "To begin anew, without knowing who has unsubscribed and what was sent, stop every weeklydigest and run DROP SCHEMA hangfire CASCADE there.";
        Assert.Equal(
            Diagnosis.Problem("database", words, "Nothing can be sent until then."),
            LookAtLedger());
        var result = await ServeAsync();
        Assert.Equal((1, "", words), (result.ExitCode, result.Out, result.Error.TrimEnd()));
        SharedPostgres.Server.Execute("CREATE SCHEMA weeklydigest", Name);
        Assert.Equal(words, (await ServeAsync()).Error.TrimEnd());
        using var workspace = new Workspace().WithWeek1().Set("Storage:Provider", "postgres").Set("Storage:ConnectionString", connection);
        workspace.Write("issues/wrong.md", "---\ntitle: \n---\n");
        Assert.Equal(0, (await workspace.RunHereAsync("config")).ExitCode);
        Assert.Equal(1, (await workspace.RunHereAsync("check", "wrong")).ExitCode);
        Assert.Equal(0L, SharedPostgres.Server.Scalar<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'weeklydigest'", Name));
        SharedPostgres.Server.Execute("DROP SCHEMA hangfire CASCADE", Name);
        Assert.Equal(Health.Ok, LookAtLedger().Status);
    }

    [Fact]
    public void A_sequence_that_is_gone_from_under_a_running_server_is_told_as_that()
    {
        SharedPostgres.Server.Execute("DROP SEQUENCE hangfire.job_id_seq CASCADE", Name);
        using var database = Database.Open(SharedPostgres.Options(connection), TimeProvider.System);
        var failure = Assert.Throws<PostgresException>(() => SharedPostgres.Server.Execute("INSERT INTO hangfire.job (invocationdata, arguments, createdat) VALUES ('{}', '[]', now())", Name));
        Assert.StartsWith(
            $"Sequences of the jobs' tables are gone from the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}, schema hangfire: until they are there again nothing is begun",
            database.ExplainJobs(failure, PostgresJobs.Tables), StringComparison.Ordinal);
    }

    // Hangfire's locks for PostgreSQL keep the log of the first server of a process, and tell it of their trouble after that server is over.
    [Fact]
    public void Who_tells_of_trouble_with_a_database_that_was_closed_meanwhile_gets_words()
    {
        var database = Database.Open(SharedPostgres.Options(connection), TimeProvider.System);
        database.Dispose();
        SharedPostgres.Server.Execute("DROP TABLE hangfire.lock", Name);
        var failure = Assert.Throws<PostgresException>(() => SharedPostgres.Server.Execute("DELETE FROM hangfire.lock", Name));
        Assert.StartsWith(
            $"Tables of the jobs are gone from the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}, schema hangfire: until they are there again nothing is begun",
            database.ExplainJobs(failure, PostgresJobs.Tables), StringComparison.Ordinal);
    }

    [Fact]
    public void A_lock_that_a_killed_node_left_is_told_as_that()
    {
        SharedPostgres.Server.Execute("INSERT INTO hangfire.lock (resource, updatecount, acquired) VALUES ('hangfire:lock:left', 0, now())", Name);
        using var database = Database.Open(SharedPostgres.Options(connection), TimeProvider.System);
        using var jobs = PostgresJobs.Open(database, connection, TimeSpan.FromDays(1)).GetConnection();
        Assert.Equal("hangfire:lock:left", Assert.ThrowsAny<DistributedLockTimeoutException>(() => jobs.AcquireDistributedLock("lock:left", TimeSpan.Zero)).Resource);
    }

    // A trigger that was confirmed is not lost with the power.
    [Theory]
    [InlineData("", "on")]
    [InlineData(";Options=-c synchronous_commit=local", "local")]
    public void A_job_that_was_enqueued_is_waited_for_on_a_server_that_is_told_to_lose_commits(string options, string setting)
    {
        SharedPostgres.Server.Execute(
            $"""
            ALTER DATABASE {Name} SET synchronous_commit = off;
            CREATE TABLE kept AS SELECT ''::text AS setting;
            CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE public.kept SET setting = current_setting(''synchronous_commit''); RETURN NULL; END';
            CREATE TRIGGER keep AFTER INSERT ON hangfire.job FOR EACH ROW EXECUTE FUNCTION keep()
            """,
            Name);
        using var database = Database.Open(SharedPostgres.Options(connection), TimeProvider.System);
        new BackgroundJobClient(PostgresJobs.Open(database, connection + options, TimeSpan.FromDays(1))).Enqueue<DeliverMailingJob>(job => job.RunAsync(1, null, CancellationToken.None));
        Assert.Equal(setting, SharedPostgres.Server.Scalar<string>("SELECT setting FROM public.kept", Name));
    }

    // Who may use the ledger and make nothing.
    private async Task AsPoorAsync(Func<string, Task> look)
    {
        var poor = "poor_" + Name;
        SharedPostgres.Server.Execute($"CREATE ROLE {poor} LOGIN PASSWORD 'poor'; GRANT USAGE ON SCHEMA weeklydigest TO {poor}; GRANT ALL ON ALL TABLES IN SCHEMA weeklydigest TO {poor}; GRANT ALL ON ALL SEQUENCES IN SCHEMA weeklydigest TO {poor}", Name);
        try
        {
            await look(new NpgsqlConnectionStringBuilder(connection) { Username = poor, Password = "poor" }.ConnectionString);
        }
        finally
        {
            SharedPostgres.Server.Execute($"DROP OWNED BY {poor}; DROP ROLE {poor}", Name);
        }
    }

    private List<Diagnosis> LookAtJobs(string? user = null) => [.. DatabaseCheck.Run(SharedPostgres.Options(user ?? connection), "", TimeProvider.System).Where(found => found.Area == "jobs")];

    private Diagnosis LookAtLedger() => DatabaseCheck.Run(SharedPostgres.Options(connection), "", TimeProvider.System).First(found => found.Area == "database");

    private async Task<CommandResult> ServeAsync(string? user = null)
    {
        using var workspace = new Workspace().Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Storage:Provider", "postgres").Set("Storage:ConnectionString", user ?? connection);
        return await workspace.RunAsync("serve", "--urls", "http://127.0.0.1:0");
    }
}
