using System.Net;
using Npgsql;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.Scenarios;
using WeeklyDigest.Tests.Web;

namespace WeeklyDigest.Tests.Jobs;

/// <summary>Somebody drops the tables of the jobs under a running server. Alone, since Hangfire has one log a process, in which servers of other tests would tell of theirs.</summary>
[Collection(nameof(WholeMachine))]
public sealed class JobTablesGoneTests : IDisposable
{
    private readonly string connection = SharedPostgres.NewJobDatabase();

    private string Name => new NpgsqlConnectionStringBuilder(connection).Database!;

    public void Dispose() => SharedPostgres.Server.Drop(connection);

    [Fact]
    public async Task With_the_whole_schema_gone_one_more_server_is_asked_for_and_makes_it_for_those_that_run()
    {
        await using var site = await StartAsync();
        using var editor = await Editor.SignInAsync(await site.SignInLinkAsync());
        SharedPostgres.Server.Execute("DROP SCHEMA hangfire CASCADE", Name);
        await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com");
        var words = $"Tables of the jobs are gone from the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}, schema hangfire: until they are there again nothing is begun, and what waits "
            + "is not woken. Start one more server, or restart one: it makes them anew, and mailings go on. Jobs that waited and the history of jobs are lost, mailings and what was sent are not.";
        await Eventually.HoldsAsync(() => Lines(site, "could not be looked at").Count > 0, "it is noticed", TimeSpan.FromMinutes(1));
        Assert.Contains(words, Assert.Single(Lines(site, "could not be looked at")), StringComparison.Ordinal);
        var (status, text) = await editor.ProblemAsync("/hangfire/recurring");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains($"{words} Try again once that is done.", WebUtility.HtmlDecode(text), StringComparison.Ordinal);

        await using var another = await StartAsync();
        await Eventually.HoldsAsync(() => another.Installation.Database.Mailings.ListAsync(CancellationToken.None).Result.Single().State == MailingState.Sent, "it is sent", TimeSpan.FromMinutes(1));
        Assert.Equal(1, site.Inbox.Count + another.Inbox.Count);
        await Eventually.HoldsAsync(() => Lines(site, "The ledger can be looked at again").Count > 0, "the one that ran goes on", TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, (await editor.ProblemAsync("/hangfire/recurring")).Status);
    }

    [Fact]
    public async Task With_some_tables_gone_one_line_says_so_and_with_the_next_start_mailings_go_on()
    {
        await using (var site = await StartAsync())
        {
            SharedPostgres.Server.Execute("DROP TABLE hangfire.job, hangfire.jobqueue, hangfire.lock CASCADE", Name);
            await site.PublishedAsync("week-1", "/posts/week-1", "<p></p>", "ada@example.com");
            await Eventually.HoldsAsync(() => Lines(site, "still cannot be looked at").Count >= 3 && Lines(site, "Hangfire cannot").Count > 0, "it is tried again and again", TimeSpan.FromMinutes(1));
            var words = $": Tables of the jobs are gone from the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}, schema hangfire: until they are there again nothing is begun, and what waits "
                + "is not woken. Stop every server, run DROP SCHEMA IF EXISTS hangfire CASCADE there: jobs that wait and the history of jobs are lost, mailings and what was sent are not; "
                + "the next start makes them anew, and mailings go on.";
            Assert.Equal("Hangfire cannot use its storage, and tries again by itself" + words, Assert.Single(Lines(site, "Hangfire cannot")));
            Assert.Equal($"The ledger could not be looked at{words} It is tried again every 3 seconds", Assert.Single(Lines(site, "could not be looked at")));
            var stacks = Lines(site, "\n   at ").FindAll(line => line.Contains(nameof(Npgsql), StringComparison.Ordinal));
            Assert.True(stacks.Count == 0, string.Join('\n', stacks));
        }
        SharedPostgres.Server.Execute("DROP SCHEMA IF EXISTS hangfire CASCADE", Name);
        await using var next = await StartAsync();
        await Eventually.HoldsAsync(() => next.Installation.Database.Mailings.ListAsync(CancellationToken.None).Result.Single().State == MailingState.Sent, "it is sent", TimeSpan.FromMinutes(1));
        Assert.Equal(1, next.Inbox.Count);
    }

    private static List<string> Lines(TestSite site, string words)
    {
        lock (site.Log) return site.Log.FindAll(line => line.Contains(words, StringComparison.Ordinal));
    }

    private Task<TestSite> StartAsync() => TestSite.StartAsync(null, ("Storage:Provider", "postgres"), ("Storage:ConnectionString", connection));
}
