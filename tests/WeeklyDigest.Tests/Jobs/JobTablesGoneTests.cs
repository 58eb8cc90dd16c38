using System.Globalization;
using System.Net;
using Npgsql;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.Relays;
using WeeklyDigest.Tests.Scenarios;

namespace WeeklyDigest.Tests.Jobs;

/// <summary>Somebody drops the tables of the jobs under a running server. Each is a process: Hangfire has one log a process, in which servers of other tests would tell of theirs.</summary>
public sealed class JobTablesGoneTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private readonly string connection = SharedPostgres.NewJobDatabase();

    private string Name => new NpgsqlConnectionStringBuilder(connection).Database!;

    public void Dispose() => SharedPostgres.Server.Drop(connection);

    [Fact]
    public async Task With_the_whole_schema_gone_one_more_server_is_asked_for_and_makes_it_for_those_that_run()
    {
        await using var relay = ScriptedSmtpServer.Start(_ => SmtpMove.Accept);
        using var workspace = Place(relay).WithWeek1().WithSubscribers(1);
        using var serve = workspace.Start("serve");
        using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token=", Limit));
        SharedPostgres.Server.Execute("DROP SCHEMA hangfire CASCADE", Name);
        await PublishAsync(workspace);
        var words = $"Tables of the jobs are gone from the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}, schema hangfire: until they are there again nothing is begun, and what waits "
            + "is not woken. Start one more server, or restart one: it makes them anew, and mailings go on. Jobs that waited and the history of jobs are lost, mailings and what was sent are not.";
        await Eventually.HoldsAsync(() => Lines(serve, "could not be looked at").Count > 0, "it is noticed", Limit);
        Assert.Contains(words, Assert.Single(Lines(serve, "could not be looked at")), StringComparison.Ordinal);
        var (status, text) = await editor.ProblemAsync("/hangfire/recurring");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains($"{words} Try again once that is done.", WebUtility.HtmlDecode(text), StringComparison.Ordinal);

        using var elsewhere = Place(relay);
        using var another = elsewhere.Start("serve");
        await Eventually.HoldsAsync(IsSent, "it is sent", Limit);
        Assert.Equal(1, relay.AcceptedCount);
        await Eventually.HoldsAsync(() => Lines(serve, "The ledger can be looked at again").Count > 0, "the one that ran goes on", Limit);
        Assert.Equal(HttpStatusCode.OK, (await editor.ProblemAsync("/hangfire/recurring")).Status);
    }

    [Fact]
    public async Task With_some_tables_gone_one_line_says_so_and_with_the_next_start_mailings_go_on()
    {
        await using var relay = ScriptedSmtpServer.Start(_ => SmtpMove.Accept);
        using var workspace = Place(relay).WithWeek1().WithSubscribers(1);
        using (var serve = workspace.Start("serve"))
        {
            await serve.PrintedAsync("/sign-in?token=", Limit);
            SharedPostgres.Server.Execute("DROP TABLE hangfire.job, hangfire.jobqueue, hangfire.lock CASCADE", Name);
            await PublishAsync(workspace);
            await Eventually.HoldsAsync(() => Lines(serve, "still cannot be looked at").Count >= 3 && Lines(serve, "Hangfire cannot").Count > 0, "it is tried again and again", Limit);
            var words = $": Tables of the jobs are gone from the database {Name} on 127.0.0.1:{SharedPostgres.Server.Port}, schema hangfire: until they are there again nothing is begun, and what waits "
                + "is not woken. Stop every server, run DROP SCHEMA IF EXISTS hangfire CASCADE there: jobs that wait and the history of jobs are lost, mailings and what was sent are not; "
                + "the next start makes them anew, and mailings go on.";
            Assert.Equal("Hangfire cannot use its storage, and tries again by itself" + words, Assert.Single(Lines(serve, "Hangfire cannot")));
            Assert.Equal($"The ledger could not be looked at{words} It is tried again every 3 seconds", Assert.Single(Lines(serve, "could not be looked at")));
            // The log has no line breaks within a line.
            var stacks = Lines(serve, "    at ").FindAll(line => line.Contains(nameof(Npgsql), StringComparison.Ordinal));
            Assert.True(stacks.Count == 0, string.Join('\n', stacks));
            serve.Terminate();
            await serve.EndAsync(Limit);
        }
        SharedPostgres.Server.Execute("DROP SCHEMA IF EXISTS hangfire CASCADE", Name);
        using var next = workspace.Start("serve");
        await Eventually.HoldsAsync(IsSent, "it is sent", Limit);
        Assert.Equal(1, relay.AcceptedCount);
    }

    private Workspace Place(ScriptedSmtpServer relay)
    {
        var workspace = new Workspace().OnDatabase(connection).UseRelay(relay.Port).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        // Everything, for those who look for what must not be in it.
        foreach (var category in (string[])["Default", "Microsoft", "Hangfire"]) workspace.Set("Logging:LogLevel:" + category, "Trace");
        return workspace;
    }

    // Nobody but the server sends it: its time comes after the command has ended.
    private async Task PublishAsync(Workspace workspace)
    {
        var published = await workspace.RunHereAsync("send", "week-1", "--at", Workspace.Later.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture));
        Assert.True(published.ExitCode == 0, published.ToString());
        SharedPostgres.Server.Execute($"UPDATE weeklydigest.mailing SET scheduled_at = {TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()}", Name);
    }

    private bool IsSent() => SharedPostgres.Server.Scalar<long>("SELECT count(*) FROM weeklydigest.mailing WHERE state = 'sent'", Name) == 1;

    // What was logged, without the level and the category before it.
    private static List<string> Lines(RunningProgram serve, string words)
        => [.. serve.Error.Split('\n').Where(line => line.Contains(words, StringComparison.Ordinal)).Select(line => line[(line.IndexOf("] ", StringComparison.Ordinal) + 2)..])];
}
