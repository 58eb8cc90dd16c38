using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The editor's hand on a mailing that another process delivers.</summary>
public sealed partial class ControlTests
{
    private const int Subscribers = 600;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Paused_it_stops_at_once_resumed_it_goes_on_cancelled_it_ends_for_good()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message
            ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System), SmtpMove.Accept)
            : SmtpMove.Accept);
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, 2);
        using var first = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(30, Limit);
        await CommandAsync(workspace, "pause", "paused");
        var accepted = relay.AcceptedCount;
        var paused = await first.EndAsync(Limit);
        Assert.Equal(1, paused.ExitCode);
        Assert.Contains("Paused: by the editor. Run `weeklydigest resume", paused.Error, StringComparison.Ordinal);
        // What was marked before the pause goes out: one message a connection.
        Assert.InRange(relay.AcceptedCount - accepted, 0, 2);
        await AssertNothingUnderWayAsync(workspace, relay, "paused");

        Assert.Equal(1, (await workspace.RunHereAsync("send", "week-1")).ExitCode);
        await AssertNothingUnderWayAsync(workspace, relay, "paused");

        await CommandAsync(workspace, "resume", "sending");
        using var second = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(relay.AcceptedCount + 30, Limit);
        await CommandAsync(workspace, "cancel", "cancelled");
        var cancelled = await second.EndAsync(Limit);
        Assert.Equal((1, "Cancelled; what was not sent stays unsent."), (cancelled.ExitCode, cancelled.Error.TrimEnd()));
        await AssertNothingUnderWayAsync(workspace, relay, "cancelled");

        foreach (var command in new[] { "send", "resume", "pause", "cancel" }) Assert.Equal(1, (await workspace.RunHereAsync(command, "week-1")).ExitCode);
        var last = await AssertNothingUnderWayAsync(workspace, relay, "cancelled");
        Assert.InRange(last["pending"], 1, Subscribers - 60);
    }

    [Theory]
    [InlineData("pause", "paused: by the editor", "Interrupted. Paused: by the editor. Run `weeklydigest resume ")]
    [InlineData("cancel", "cancelled; what was not sent stays unsent", "Interrupted. Cancelled; what was not sent stays unsent.")]
    public async Task While_it_waits_for_the_last_answer_it_says_how_the_mailing_stands_and_asked_to_end_what_becomes_of_the_rest(string command, string state, string end)
    {
        var answer = new TaskCompletionSource();
        await using var relay = ScriptedSmtpServer.Start(moment => moment is not { Stage: SmtpStage.Message } ? SmtpMove.Accept
            : SmtpMove.Hold(moment.Recipient == "subscriber000005@example.com" ? answer.Task : Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System), SmtpMove.Accept));
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, 2);
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(30, Limit);
        await CommandAsync(workspace, command, state.Split(':', ';')[0]);
        await send.PrintedAsync($" of {Subscribers}; {state}; 1 answer is awaited", Limit);
        send.Terminate();
        await Eventually.HoldsAsync(() => send.Error.Contains("Stopping", StringComparison.Ordinal), "the signal arrived", Limit);
        answer.SetResult();
        var ended = await send.EndAsync(Limit);
        Assert.Equal(1, ended.ExitCode);
        Assert.StartsWith(end, ended.Error.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
        await AssertNothingUnderWayAsync(workspace, relay, state.Split(':', ';')[0]);
    }

    [Fact]
    public async Task The_finish_time_it_foretells_is_the_one_it_keeps()
    {
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(400).UseRelay(relay.Port).Set("Smtp:Relays:0:MessagesPerSecond", 40);
        using var send = workspace.Start("send", "week-1");
        Match told = Match.Empty;
        await Eventually.HoldsAsync(() => (told = Progress().Match(send.Out)).Success, "it foretells its end", Limit);
        var clock = Stopwatch.StartNew();
        Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);

        Assert.InRange(double.Parse(told.Groups[1].Value, CultureInfo.InvariantCulture), 25, 42);
        var left = TimeSpan.FromSeconds(int.Parse(told.Groups[2].Value, CultureInfo.InvariantCulture));
        Assert.InRange(clock.Elapsed, left * 0.6 - TimeSpan.FromSeconds(1), left * 1.4 + TimeSpan.FromSeconds(3));
    }

    private static async Task CommandAsync(Workspace workspace, string command, string state)
    {
        var result = await workspace.RunHereAsync(command, "week-1");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains($": {state}", result.Out, StringComparison.Ordinal);
    }

    private static async Task<Accounts> AssertNothingUnderWayAsync(Workspace workspace, ScriptedSmtpServer relay, string state)
    {
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal((state, 0, 0, 0, relay.AcceptedCount), (accounts.State, accounts["claimed"], accounts["sending"], accounts["uncertain"], accounts["sent"]));
        return accounts;
    }

    [GeneratedRegex(@" of 400; ([\d.]+) a second; about (\d+) seconds? left")]
    private static partial Regex Progress();
}
