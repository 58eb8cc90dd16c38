using System.Diagnostics;
using System.Text.RegularExpressions;
using WeeklyDigest.Server.Commands;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The process is asked to end in the middle of a mailing while the database server is away: gone, or there and silent, as behind a broken network.</summary>
[Collection(nameof(WholeMachine))]
public sealed class EndWithoutDatabaseTests : IDisposable
{
    private const int Subscribers = 800;
    private const int Pages = 20;

    /// <summary>After which service managers kill.</summary>
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    // One of its own: stopping the shared one would stop the others' tests.
    private readonly PrivatePostgres server = new();

    public void Dispose() => server.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_ends_within_ten_seconds_also_with_pages_that_wait_and_says_once_that_it_was_in_no_good_order(bool hangs)
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        using var workspace = Workspace(relay);
        using var serve = workspace.Start("serve");
        using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token=", Limit));
        await editor.TriggerAsync("weekly-digest");
        await relay.WaitForAcceptedAsync(100, Limit);
        await WithoutDatabaseAsync(hangs, async () =>
        {
            // Each blocks a thread of the few there are.
            var pages = Task.WhenAll(Enumerable.Range(0, Pages).Select(_ => editor.ProblemAsync("/hangfire/recurring")));
            await Eventually.HoldsAsync(() => !editor.IsReadyAsync().Result, "it is not ready", Limit);
            await EndsAsync(serve);
            await Task.WhenAny(pages);
        });
        await AddsUpAsync(workspace, relay);
    }

    [Fact]
    public async Task A_send_whose_database_hangs_ends_within_ten_seconds_and_says_so()
    {
        await using var relay = ScriptedSmtpServer.Start(Slowly);
        using var workspace = Workspace(relay);
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(100, Limit);
        await WithoutDatabaseAsync(hangs: true, async () =>
        {
            await send.PrintedAsync("The ledger cannot be used", Limit);
            await EndsAsync(send);
        });
        await AddsUpAsync(workspace, relay);
    }

    private static async Task EndsAsync(RunningProgram program)
    {
        var clock = Stopwatch.StartNew();
        program.Terminate();
        var ended = await program.EndAsync(Limit);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Drain);
        Assert.Equal(CommandLine.Failed, ended.ExitCode);
        Assert.Single(Regex.Matches(ended.Error, Regex.Escape(LateEnd.Words)));
    }

    private static async Task AddsUpAsync(Workspace workspace, ScriptedSmtpServer relay)
    {
        await workspace.RunAsync("send", "week-1");
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
    }

    private async Task WithoutDatabaseAsync(bool hangs, Func<Task> act)
    {
        if (hangs) server.Freeze();
        else server.Stop();
        try
        {
            await act();
        }
        finally
        {
            if (hangs) server.Thaw();
            else server.Start();
        }
    }

    private Workspace Workspace(ScriptedSmtpServer relay)
        => new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port).OnDatabase(server.CreateDatabase())
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");

    private static SmtpMove Slowly(SmtpMoment moment)
        => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;
}
