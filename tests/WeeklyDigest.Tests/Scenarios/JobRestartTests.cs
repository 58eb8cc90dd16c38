using Microsoft.Data.Sqlite;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The server goes while a job sends, and comes back.</summary>
public sealed class JobRestartTests
{
    private const int Subscribers = 600;
    private const int Connections = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_job_of_a_killed_server_finishes_by_itself_after_the_restart_and_sends_nobody_twice()
    {
        await using var relay = ScriptedSmtpServer.Start(SlowAtTheDot);
        using var workspace = Workspace(relay);
        string job;
        using (var serve = workspace.Start("serve"))
        {
            using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token="));
            job = await TriggerAsync(editor);
            await relay.WaitForAcceptedAsync(50, Limit);
            serve.Kill();
        }
        await relay.WaitForAsync(r => r.OpenConnections == 0, Limit, "no connection outlives the process");

        using var again = workspace.Start("serve");
        using var back = await Editor.SignInAsync(await again.PrintedAsync("/sign-in?token="));
        await EventuallyAsync(async () => (await back.TextAsync($"/hangfire/jobs/details/{job}")).Contains("Sent: week-1", StringComparison.Ordinal));
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.InRange(accounts["uncertain"], 0, Connections);
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
        Assert.Equal(2, await back.RunsAsync(job));
    }

    [Fact]
    public async Task A_job_that_a_stop_interrupts_goes_on_after_the_restart_and_its_history_is_kept()
    {
        await using var relay = ScriptedSmtpServer.Start(SlowAtTheDot);
        using var workspace = Workspace(relay);
        string job;
        using (var serve = workspace.Start("serve"))
        {
            using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token="));
            job = await TriggerAsync(editor);
            await relay.WaitForAcceptedAsync(50, Limit);
            serve.Terminate();
            await serve.EndAsync(Limit);
        }

        using (var again = workspace.Start("serve"))
        {
            using var back = await Editor.SignInAsync(await again.PrintedAsync("/sign-in?token="));
            await EventuallyAsync(async () => (await back.TextAsync($"/hangfire/jobs/details/{job}")).Contains("Sent: week-1", StringComparison.Ordinal));
            again.Terminate();
            Assert.Equal(0, (await again.EndAsync(Limit)).ExitCode);
        }

        using var third = workspace.Start("serve");
        using var reader = await Editor.SignInAsync(await third.PrintedAsync("/sign-in?token="));
        var text = (await reader.PageAsync($"/hangfire/jobs/details/{job}")).Body!.TextContent;
        Assert.True(text.Contains($", {Subscribers} of {Subscribers}.", StringComparison.Ordinal), text);
        Assert.Equal(job, await reader.LastJobAsync("weekly-digest"));
        (await Accounts.ReadAsync(workspace, "week-1")).AgreeWith(relay);
        Assert.Equal(Subscribers, relay.AcceptedCount);
    }

    [Fact]
    public async Task Jobs_that_cannot_be_kept_stop_the_start_with_words()
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(1).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        Assert.Equal(0, (await workspace.RunHereAsync("subscribers", "add", "ada@example.org", "--list", "all")).ExitCode);
        workspace.Write("data/jobs.db", "These are no jobs.");
        var result = await workspace.RunAsync("serve");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            $"The file {workspace.PathOf("data/jobs.db")} is not a database. Move it away. "
            + "Where no jobs.db is, a new one is made: jobs are forgotten then, mailings are not.", result.Error, StringComparison.Ordinal);
        Assert.Equal("These are no jobs.", File.ReadAllText(workspace.PathOf("data/jobs.db")));
    }

    [Fact]
    public async Task Jobs_that_another_program_holds_at_the_start_are_waited_for()
    {
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = Workspace(relay);
        using (var first = workspace.Start("serve"))
        {
            await first.PrintedAsync("/sign-in?token=", Limit);
            first.Terminate();
            await first.EndAsync(Limit);
        }
        RunningProgram serve;
        await using (var other = new SqliteConnection($"Data Source={workspace.PathOf("data/jobs.db")};Pooling=False"))
        {
            await other.OpenAsync(TestContext.Current.CancellationToken);
            await using var locking = new SqliteCommand("BEGIN EXCLUSIVE", other);
            await locking.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            serve = workspace.Start("serve");
            await Eventually.HoldsAsync(() => serve.Error.Contains("This is waited for", StringComparison.Ordinal), "it says so", Limit);
        }
        using (serve)
        {
            using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token=", Limit));
            Assert.True(await editor.IsReadyAsync());
        }
    }

    [Fact]
    public async Task Jobs_that_are_deleted_under_a_server_lose_no_mailing_and_the_log_says_so_once()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A file that is open cannot be deleted there.");
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = Workspace(relay);
        using var serve = workspace.Start("serve");
        using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token="));
        foreach (var file in Directory.GetFiles(workspace.PathOf("data"), "jobs.db*")) File.Delete(file);
        var words = $"The job database {workspace.PathOf("data/jobs.db")} was moved, deleted or replaced while it was in use.";
        await Eventually.HoldsAsync(() => (serve.Out + serve.Error).Contains(words, StringComparison.Ordinal), "the log says so", Limit);
        var job = await TriggerAsync(editor);
        await EventuallyAsync(async () => (await editor.TextAsync($"/hangfire/jobs/details/{job}")).Contains("Sent: week-1", StringComparison.Ordinal));
        Assert.False(File.Exists(workspace.PathOf("data/jobs.db")));
        serve.Terminate();
        var result = await serve.EndAsync(Limit);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(2, (result.Out + result.Error).Split(words).Length);
        Assert.DoesNotContain("SQLite Error", result.Out + result.Error, StringComparison.Ordinal);
        (await Accounts.ReadAsync(workspace, "week-1")).AgreeWith(relay);
        Assert.Equal(Subscribers, relay.AcceptedCount);

        using var again = workspace.Start("serve");
        using var reader = await Editor.SignInAsync(await again.PrintedAsync("/sign-in?token="));
        Assert.True(await reader.IsReadyAsync());
    }

    private static Workspace Workspace(ScriptedSmtpServer relay) => new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections)
        .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");

    private static async Task<string> TriggerAsync(Editor editor)
    {
        await editor.TriggerAsync("weekly-digest");
        string? job = null;
        await EventuallyAsync(async () => (job = await editor.LastJobAsync("weekly-digest")) is not null);
        return job!;
    }

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, "not in time");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private static SmtpMove SlowAtTheDot(SmtpMoment moment)
        => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;
}
