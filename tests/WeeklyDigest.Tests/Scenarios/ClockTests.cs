using System.Globalization;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The computer's clock is moved while an issue is on its way, or a night has an hour too many or too few.</summary>
public sealed class ClockTests
{
    private static readonly int Subscribers = Scale.Of(400, 10_000);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Moved_by_an_hour_or_a_day_there_and_back_everybody_gets_it_exactly_once()
    {
        using var workspace = Workspace();
        var clock = await MovedClock.OfAsync(workspace);
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message
            ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System), SmtpMove.Accept)
            : SmtpMove.Accept);
        workspace.WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, 2);
        using var first = workspace.Start("send", "week-1");
        using var second = workspace.Start("send", "week-1");
        TimeSpan[] moves = [TimeSpan.FromHours(1), TimeSpan.FromDays(1), TimeSpan.FromHours(-1), TimeSpan.FromDays(-1), TimeSpan.Zero];
        for (var i = 0; i < moves.Length; i++)
        {
            await relay.WaitForAcceptedAsync(Subscribers * (i + 1) / (moves.Length + 1), Limit);
            clock.Move(moves[i]);
        }

        foreach (var send in new[] { first, second }) Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(("sent", Subscribers, Subscribers), (accounts.State, accounts["sent"], relay.AcceptedCount));
        Assert.All(accounts.Rows, row => Assert.Equal(1, row.Attempts));
    }

    [Fact]
    public async Task A_time_that_a_moved_clock_comes_to_twice_sends_once()
    {
        using var workspace = Workspace();
        var clock = await MovedClock.OfAsync(workspace);
        await using var relay = ScriptedSmtpServer.Start();
        workspace.WithWeek1().WithSubscribers(20).UseRelay(relay.Port);
        var at = TimeProvider.System.GetUtcNow().AddHours(12);
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1", "--at", at.ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture))).ExitCode);
        using var serve = workspace.Start("serve");
        await serve.PrintedAsync("/sign-in?token=", Limit);
        foreach (var hours in new[] { 13, 11, 13 })
        {
            clock.Move(TimeSpan.FromHours(hours));
            await relay.WaitForAcceptedAsync(20, Limit);
            // The ledger is looked at every three seconds.
            await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, TestContext.Current.CancellationToken);
        }
        Assert.Equal(20, relay.AcceptedCount);
        (await Accounts.ReadAsync(workspace, "week-1")).AgreeWith(relay);
    }

    // In the night to 25 October 2026 the clocks of Berlin go from 3:00 back to 2:00, in that to 29 March from 2:00 on to 3:00: 2:30 comes twice, or not at all.
    [Fact]
    public Task In_a_night_with_an_hour_too_many_or_too_few_one_issue_is_sent_and_the_next_waits() => Task.WhenAll(
        SendsOneAsync("2026-10-25T00:29:40Z", "2026-10-25T00:30:01Z", "2026-10-25T01:30:01Z", "2026-10-25T02:30:01Z"),
        SendsOneAsync("2026-03-29T00:59:40Z", "2026-03-29T01:00:01Z", "2026-03-29T01:30:01Z", "2026-03-29T02:30:01Z"));

    [Fact]
    public async Task A_machine_that_slept_through_its_time_sends_nothing_late_and_says_so()
    {
        using var workspace = Workspace();
        var clock = await MovedClock.OfAsync(workspace);
        await using var relay = ScriptedSmtpServer.Start();
        workspace.WithWeek1().WithSubscribers(20).UseRelay(relay.Port).Set("Newsletter:Schedule:Cron", "0 9 * * 1");
        clock.MoveTo(new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero));
        using var serve = workspace.Start("serve");
        await serve.PrintedAsync("/sign-in?token=", Limit);
        // From Sunday noon to Monday night.
        clock.MoveTo(new DateTimeOffset(2026, 11, 2, 21, 0, 5, TimeSpan.Zero));
        await Eventually.HoldsAsync(() => serve.Error.Contains("The issue of 2026-11-02 09:00 UTC was not sent", StringComparison.Ordinal), "the alarm", Limit);
        Assert.Equal(("missed", "0"), (LedgerFile.Text(workspace, "SELECT state FROM occurrence"), LedgerFile.Text(workspace, "SELECT count(*) FROM mailing")));
        Assert.Equal(0, relay.AcceptedCount);

        clock.MoveTo(new DateTimeOffset(2026, 11, 9, 9, 0, 1, TimeSpan.Zero));
        await relay.WaitForAcceptedAsync(20, Limit);
    }

    private static async Task SendsOneAsync(string start, params string[] moments)
    {
        using var workspace = Workspace();
        var clock = await MovedClock.OfAsync(workspace);
        await using var relay = ScriptedSmtpServer.Start();
        workspace.WithSubscribers(20).UseRelay(relay.Port).Set("Newsletter:Schedule:Cron", "30 2 * * *").Set("Newsletter:Schedule:TimeZone", "Europe/Berlin");
        foreach (var number in new[] { 1, 2 }) workspace.Write($"issues/week-{number}.md", $"---\ntitle: week {number}\ndate: 2026-01-0{number}\n---\nHello.\n");
        clock.MoveTo(DateTimeOffset.Parse(start, CultureInfo.InvariantCulture));
        using var serve = workspace.Start("serve");
        await serve.PrintedAsync("/sign-in?token=", Limit);
        foreach (var moment in moments)
        {
            clock.MoveTo(DateTimeOffset.Parse(moment, CultureInfo.InvariantCulture));
            // The ledger is looked at every three seconds.
            await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, TestContext.Current.CancellationToken);
        }
        await relay.WaitForAcceptedAsync(20, Limit);
        Assert.Equal("week-1", LedgerFile.Text(workspace, "SELECT group_concat(issue) FROM mailing"));
        Assert.Equal(20, relay.AcceptedCount);
    }

    private static Workspace Workspace() => new Workspace().Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
}
