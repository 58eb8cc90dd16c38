using System.Net;
using System.Text.RegularExpressions;
using Npgsql;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The database server is not there, or goes away in the middle.</summary>
public sealed class PostgresDownTests : IDisposable
{
    private const int Subscribers = 800;
    private const int Connections = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    // One of its own: stopping the shared one would stop the others' tests.
    private readonly PrivatePostgres server = new();

    public void Dispose() => server.Dispose();

    [Fact]
    public async Task A_server_that_is_down_at_the_start_is_said_so_and_nothing_is_sent()
    {
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = Workspace(relay).WithSubscribers(3);
        server.Stop();
        var result = await workspace.RunAsync("send", "week-1");
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.Matches(DoesNotAnswer, result.Error);
        Assert.DoesNotContain(PrivatePostgres.Password, result.Error, StringComparison.Ordinal);
        Assert.Equal(0, relay.AcceptedCount);

        server.Start();
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        Assert.Equal(3, relay.AcceptedCount);
    }

    [Fact]
    public async Task A_start_waits_for_a_server_that_is_down_says_so_once_and_can_be_ended_meanwhile()
    {
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = Workspace(relay).WithSubscribers(3).Set("Urls", "http://127.0.0.1:0");
        server.Stop();
        using (var serve = workspace.Start("serve"))
        {
            await Eventually.HoldsAsync(() => serve.Error.Contains("This is waited for", StringComparison.Ordinal), "it says so", Limit);
            serve.Terminate();
            Assert.Equal(0, (await serve.EndAsync(Limit)).ExitCode);
            Assert.Matches(DoesNotAnswer, serve.Error);
            Assert.Single(Regex.Matches(serve.Error, "This is waited for"));
        }

        using var patient = workspace.Start("serve");
        await Eventually.HoldsAsync(() => patient.Error.Contains("This is waited for", StringComparison.Ordinal), "it says so", Limit);
        server.Start();
        using var editor = await Editor.SignInAsync(await patient.PrintedAsync("/sign-in?token=", Limit));
        Assert.True(await editor.IsReadyAsync());
        Assert.DoesNotContain(PrivatePostgres.Password, patient.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_with_a_wrong_password_or_database_ends_and_says_so()
    {
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = Workspace(relay);
        foreach (var wrong in (string[])["Password=wrong", "Database=nowhere"])
        {
            workspace.OnDatabase(server.ConnectionString("test_1") + ";" + wrong);
            var result = await workspace.RunAsync("serve", "--urls", "http://127.0.0.1:0");
            Assert.Equal(1, result.ExitCode);
            Assert.Matches("does not let the user .* in|There is no database nowhere", result.Error);
        }
    }

    public static TheoryData<bool> Crashes { get; } = Scale.Of<TheoryData<bool>>([true], [true, false]);

    [Theory]
    [MemberData(nameof(Crashes))]
    public async Task A_server_that_goes_away_in_the_middle_stops_the_sending_which_goes_on_when_it_is_back(bool crash)
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        using var workspace = Workspace(relay).WithSubscribers(Subscribers);
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(100, Limit);
        if (crash) server.Crash();
        else server.Stop();
        var before = relay.AcceptedCount;
        await send.PrintedAsync("The ledger cannot be used", Limit);
        // What was marked before may still go out: one message per connection; and then nothing, for as long as it says so again.
        var silent = relay.AcceptedCount;
        Assert.InRange(silent - before, 0, Connections);
        await Eventually.HoldsAsync(() => send.Out.Split("The ledger cannot be used").Length > 2, "another line that says so", Limit);
        Assert.Equal(silent, relay.AcceptedCount);

        server.Start();
        Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        // The program lived, so it knows every answer: even commits whose own answer was lost are found again.
        Assert.Equal(("sent", Subscribers, 0, Subscribers), (accounts.State, accounts["sent"], accounts["uncertain"], relay.AcceptedCount));
    }

    [Fact]
    public async Task A_server_that_is_told_to_lose_commits_and_crashes_loses_none_of_ours()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        using var workspace = Workspace(relay).WithSubscribers(Subscribers);
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(100, Limit);
        server.Execute("ALTER SYSTEM SET synchronous_commit = off");
        // How long it keeps what nobody waits for to itself: else its crash would have to fall into a moment.
        server.Execute("ALTER SYSTEM SET wal_writer_delay = '10s'");
        server.Execute("SELECT pg_reload_conf()");
        await relay.WaitForAcceptedAsync(300, Limit);
        server.Crash();
        server.Start();

        Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(("sent", Subscribers, 0, Subscribers), (accounts.State, accounts["sent"], accounts["uncertain"], relay.AcceptedCount));
    }

    [Fact]
    public async Task A_server_that_comes_back_set_to_lose_commits_stops_the_sending_until_it_is_set_right()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        using var workspace = Workspace(relay).WithSubscribers(Subscribers);
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(100, Limit);
        server.Execute("ALTER SYSTEM SET fsync = off");
        server.Crash();
        var before = relay.AcceptedCount;
        server.Start();
        await send.PrintedAsync($"The ledger cannot be used: The program cannot use the database test_1 on 127.0.0.1:{server.Port}: fsync is off", Limit);
        Assert.InRange(relay.AcceptedCount - before, 0, Connections);

        server.Execute("ALTER SYSTEM RESET fsync");
        server.Execute("SELECT pg_reload_conf()");
        Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(("sent", Subscribers, 0, Subscribers), (accounts.State, accounts["sent"], accounts["uncertain"], relay.AcceptedCount));
    }

    [Fact]
    public async Task A_server_that_hangs_in_the_middle_is_said_so_and_stops_the_sending()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        using var workspace = Workspace(relay).WithSubscribers(Subscribers);
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(100, Limit);
        server.Freeze();
        try
        {
            await send.PrintedAsync("The ledger cannot be used", Limit);
            Assert.Contains("does not answer", send.Out, StringComparison.Ordinal);
        }
        finally
        {
            server.Thaw();
        }
        Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(("sent", Subscribers, 0, Subscribers), (accounts.State, accounts["sent"], accounts["uncertain"], relay.AcceptedCount));
    }

    [Fact]
    public async Task A_server_that_hangs_while_a_job_sends_is_said_so_in_the_log()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        using var workspace = Workspace(relay).WithSubscribers(Subscribers).Set("Urls", "http://127.0.0.1:0");
        using var serve = workspace.Start("serve");
        using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token="));
        await editor.TriggerAsync("weekly-digest");
        await relay.WaitForAcceptedAsync(100, Limit);
        server.Freeze();
        try
        {
            await Eventually.HoldsAsync(() => serve.Error.Contains("The ledger cannot be used: ", StringComparison.Ordinal), "the log says why nothing is sent", TimeSpan.FromSeconds(15));
        }
        finally
        {
            server.Thaw();
        }
        await relay.WaitForAcceptedAsync(Subscribers, Limit);
        await EventuallyAsync(async () => (await workspace.JsonHereAsync("status", "week-1", "--json")).GetProperty("state").GetString() == "sent");
        Assert.Equal(Subscribers, relay.AcceptedCount);
    }

    [Fact]
    public async Task A_running_server_says_that_it_is_not_ready_and_finishes_the_mailing_afterwards()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        using var workspace = Workspace(relay).WithSubscribers(Subscribers).Set("Urls", "http://127.0.0.1:0");
        using var serve = workspace.Start("serve");
        using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token="));
        Assert.True(await editor.IsReadyAsync());
        await editor.TriggerAsync("weekly-digest");
        await relay.WaitForAcceptedAsync(100, Limit);

        server.Crash();
        await EventuallyAsync(async () => !await editor.IsReadyAsync());
        await EventuallyAsync(async () => (await editor.ProblemAsync("/hangfire/issues")).Text.Contains("The database has not been usable since ", StringComparison.Ordinal));
        // First it may have said that it goes down.
        await EventuallyAsync(async () => (await editor.ProblemAsync("/hangfire/issues")).Text.Contains("does not answer", StringComparison.Ordinal));
        var problem = await editor.ProblemAsync("/hangfire/issues");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, problem.Status);
        Assert.Contains($"The database test_1 on 127.0.0.1:{server.Port} does not answer", problem.Text, StringComparison.Ordinal);
        Assert.Contains("sending goes on by itself", problem.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(PrivatePostgres.Password, WebUtility.HtmlDecode(problem.Text), StringComparison.Ordinal);
        using var reader = new HttpClient { BaseAddress = editor.Server };
        using var archive = await reader.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, archive.StatusCode);
        Assert.DoesNotContain("127.0.0.1", await archive.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using var link = await editor.UseLinkAsync("/sign-in?token=x");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, link.StatusCode);
        await Eventually.HoldsAsync(() => serve.Error.Contains("The ledger cannot be used: ", StringComparison.Ordinal), "the log says why nothing is sent", Limit);
        server.Start();

        await EventuallyAsync(editor.IsReadyAsync);
        await relay.WaitForAcceptedAsync(Subscribers, Limit);
        await EventuallyAsync(async () => (await workspace.JsonHereAsync("status", "week-1", "--json")).GetProperty("state").GetString() == "sent");
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal((Subscribers, 0), (accounts["sent"], accounts["uncertain"]));
        Assert.Contains("The ledger can be used again", serve.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_crashes_while_a_job_publishes_holds_the_job_up_and_the_same_job_goes_on()
    {
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = Workspace(relay).WithSubscribers(20).Set("Urls", "http://127.0.0.1:0");
        using var serve = workspace.Start("serve");
        using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token="));
        await using (var other = new NpgsqlConnection(server.ConnectionString("test_1") + ";Pooling=false"))
        {
            await other.OpenAsync(TestContext.Current.CancellationToken);
            await using var locking = new NpgsqlCommand("BEGIN; LOCK TABLE weeklydigest.mailing_content IN EXCLUSIVE MODE", other);
            await locking.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await editor.TriggerAsync("weekly-digest");
            await Eventually.HoldsAsync(() => server.Scalar<bool>("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'weeklydigest.mailing_content'::regclass)", "test_1"), "it is publishing", Limit);
            server.Crash();
        }
        await EventuallyAsync(async () => !await editor.IsReadyAsync());
        server.Start();

        await relay.WaitForAcceptedAsync(20, Limit);
        await EventuallyAsync(async () => (await workspace.JsonHereAsync("status", "week-1", "--json")).GetProperty("state").GetString() == "sent");
        Assert.Equal(20, relay.AcceptedCount);
        var job = await editor.LastJobAsync("weekly-digest") ?? throw new InvalidOperationException("Nothing was triggered.");
        await Eventually.HoldsAsync(() => editor.TextAsync($"/hangfire/jobs/details/{job}").Result.Contains(", 20 of 20", StringComparison.Ordinal), "the job says so", Limit);
        Assert.Equal(0, server.Scalar<long>("SELECT count(*) FROM hangfire.state WHERE name = 'Failed'", "test_1"));
    }

    [Fact]
    public async Task A_server_whose_database_can_only_be_read_says_so_in_few_lines()
    {
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = Workspace(relay).WithSubscribers(3).Set("Urls", "http://127.0.0.1:0");
        using var serve = workspace.Start("serve");
        await serve.PrintedAsync("/sign-in?token=", Limit);
        server.Execute("ALTER DATABASE test_1 SET default_transaction_read_only = on");
        // Behind that one's commit: who comes back before it may write.
        server.Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'test_1'");
        await Eventually.HoldsAsync(() => serve.Error.Contains("The database test_1", StringComparison.Ordinal) && serve.Error.Contains("can only be read: is it a standby?", StringComparison.Ordinal), "it says so", Limit);
        await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.DoesNotContain("\n   at ", serve.Error, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(serve.Error, "can only be read"));
        Assert.InRange(serve.Error.Split('\n').Length, 1, 20);
    }

    private string DoesNotAnswer => $"^The database test_1 on 127.0.0.1:{server.Port} does not answer .*Is PostgreSQL running there";

    private Workspace Workspace(ScriptedSmtpServer relay)
        => new Workspace().WithWeek1().UseRelay(relay.Port, Connections).Set("Newsletter:BaseUrl", "https://digest.example.com").OnDatabase(server.CreateDatabase());

    private static SmtpMove Slowly(SmtpMoment moment)
        => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, "not in time");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
