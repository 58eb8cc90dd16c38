using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The process dies at once, without a chance to write anything down.</summary>
public sealed class KillTests
{
    private static readonly int Kills = Scale.Of(4, 200);
    private static readonly int Subscribers = Scale.Of(800, 20_000);
    private static readonly int Connections = Scale.Of(4, 16);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>From a start to the first message of a mailing that is under way: five seconds, where the machine has nothing else to do.</summary>
    private static readonly TimeSpan Patience = Scale.Of(Limit, TimeSpan.FromSeconds(5));

    [Theory]
    [InlineData("sqlite", 1)]
    [InlineData("postgres", 3)]
    public async Task Killed_again_and_again_while_it_sends_nobody_is_lost_and_every_row_says_what_the_relay_saw(string provider, int part)
    {
        await using var relay = Relay();
        using var workspace = new Workspace().On(provider).WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections);
        var kills = await KillAsync(workspace, relay, Kills / part, (random, before, _) => WhileSendingAsync(relay, before + 1 + random.Next(part * Subscribers / Kills)));

        var last = await workspace.RunAsync("send", "week-1");
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Empty(accounts.SentAgain);
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
        Assert.All(accounts.Rows, row => Assert.Equal(1, row.Attempts));
        Assert.Equal(accounts["uncertain"] == 0 ? 0 : 3, last.ExitCode);
        // Of the marks a kill leaves, those are uncertain whose message had left and whose answer had not come.
        var uncertain = Uncertain(kills, accounts["uncertain"]);
        Assert.InRange(accounts["uncertain"], 0, kills.Sum(kill => kill.Marked));
        Assert.All(uncertain.Zip(kills), each => Assert.InRange(each.First, 0, each.Second.Marked));

        // The editor decides: whoever may have been left out gets it after all, and a second copy is the first one byte for byte.
        if (accounts["uncertain"] > 0) Assert.Equal(0, (await workspace.RunHereAsync("resolve", "week-1", "--uncertain", "resend")).ExitCode);
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var resolved = await Accounts.ReadAsync(workspace, "week-1");
        resolved.AgreeWith(relay);
        Assert.Equal((Subscribers, Subscribers), (resolved["sent"], relay.Accepted.Select(message => message.Recipient).Distinct().Count()));
        AssertSoon(kills);
    }

    // At a modest pace, from start-up to the end of its life: what is on the wire at such a moment is little. So slow that the last kill finds something to send too.
    [Fact]
    public async Task Killed_at_any_moment_of_its_life_few_are_uncertain()
    {
        await using var relay = ScriptedSmtpServer.Start();
        var (kills, subscribers) = (Scale.Of(3, 200), Scale.Of(500, 20_000));
        using var workspace = new Workspace().WithWeek1().WithSubscribers(subscribers).UseRelay(relay.Port, Connections).Set("Smtp:Relays:0:MessagesPerSecond", Scale.Of(300, 150));
        var all = await KillAsync(workspace, relay, kills, (random, _, start) => Task.Delay(random.NextDouble() * 2 * start, TimeProvider.System, TestContext.Current.CancellationToken));
        await workspace.RunAsync("send", "week-1");
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(subscribers, accounts["sent"] + accounts["uncertain"]);
        var uncertain = Uncertain(all, accounts["uncertain"]);
        Assert.All(uncertain.Zip(all), each => Assert.InRange(each.First, 0, each.Second.Marked));
        if (Scale.IsFull) Assert.InRange(uncertain.Average(), 0, 2);
        AssertSoon(all);
    }

    [Fact]
    public async Task Where_the_settings_say_resend_everybody_gets_it_and_a_second_copy_is_the_first_one_byte_for_byte()
    {
        await using var relay = Relay();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections).Set("Delivery:OnUncertain", "resend");
        var kills = await KillAsync(workspace, relay, Kills / 3, (random, before, _) => WhileSendingAsync(relay, before + 1 + random.Next(3 * Subscribers / Kills)));

        await workspace.RunAsync("send", "week-1");
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
        // Only a row that was caught twice is left for the editor.
        Assert.InRange(accounts["uncertain"], 0, accounts.SentAgain.Count);
        Assert.InRange(accounts.SentAgain.Count, 0, kills.Sum(kill => kill.Open));
        Assert.All(relay.Accepted.GroupBy(message => message.Recipient), copies => Assert.InRange(copies.Count(), 1, 2));
        Assert.Equal(Subscribers, relay.Accepted.Select(message => message.Recipient).Union(accounts.Rows.Where(row => row.State == "uncertain").Select(row => row.Address)).Count());
        AssertSoon(kills);
    }

    [Fact]
    public async Task A_server_that_is_killed_goes_on_by_itself_when_it_is_started_again()
    {
        await using var relay = Relay();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections)
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        await KillAsync(workspace, relay, 1, (_, _, _) => WhileSendingAsync(relay, 50));
        for (var kill = 0; kill < 2; kill++)
        {
            var before = relay.AcceptedCount;
            using var serve = workspace.Start("serve");
            var clock = Stopwatch.StartNew();
            await relay.WaitForAcceptedAsync(before + 1, Limit);
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, Patience);
            serve.Kill();
            await relay.WaitForAsync(r => r.OpenConnections == 0, Limit, "no connection outlives the process");
        }
        using var last = workspace.Start("serve");
        await Eventually.HoldsAsync(() => LedgerFile.Text(workspace, "SELECT state FROM mailing") == "sent", "it was sent", Limit);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.InRange(accounts["uncertain"], 0, 3 * Connections);
        Assert.Equal(Subscribers, accounts["sent"] + accounts["uncertain"]);
    }

    /// <summary>Starts and kills; the seed is printed.</summary>
    /// <param name="workspace">The installation.</param>
    /// <param name="relay">Its relay.</param>
    /// <param name="count">How often.</param>
    /// <param name="moment">Waits for the moment to kill: given a source of randomness, the messages accepted before, and how long starting took the last time.</param>
    private static async Task<List<Kill>> KillAsync(Workspace workspace, ScriptedSmtpServer relay, int count, Func<Random, int, TimeSpan, Task> moment)
    {
        var seed = RandomNumberGenerator.GetInt32(int.MaxValue);
        var random = new Random(seed);
        var kills = new List<Kill>();
        var lastStart = TimeSpan.FromSeconds(3);
        for (var i = 0; i < count; i++)
        {
            var before = relay.AcceptedCount;
            var started = TimeProvider.System.GetUtcNow();
            using var send = workspace.Start("send", "week-1");
            await moment(random, before, lastStart);
            Thread.SpinWait(random.Next(200_000));
            // With the stand-ins of stalled ones, they may be more than the settings say; and more are opened until the kill strikes.
            var (opened, open) = (relay.Connections, relay.OpenConnections);
            send.Kill();
            await relay.WaitForAsync(r => r.OpenConnections == 0, Limit, "no connection outlives the process");
            open += relay.Connections - opened;
            var start = relay.Accepted.Skip(before).FirstOrDefault()?.At - started;
            lastStart = start ?? TimeSpan.FromSeconds(Math.Min(lastStart.TotalSeconds * 1.5, 10));
            var (marked, uncertain) = await LeftAsync(workspace);
            // One that is killed before it has looked at what the one before left leaves that as well.
            Assert.InRange(marked, 0, open + (kills.Count > 0 ? kills[^1].Marked : 0));
            kills.Add(new Kill(start, before > 0, open, marked, uncertain));
        }
        var starts = kills.Where(kill => kill is { Start: not null, Resumed: true }).Select(kill => kill.Start!.Value.TotalSeconds).Order().ToList();
        Say($"seed {seed}: {count} kills ({kills.Average(kill => kill.Marked):f2} marks and {kills.Average(kill => kill.Open):f2} connections open at each, "
            + $"{kills.Count(kill => kill.Start is null)} before the first message)");
        if (starts.Count > 0)
            Say($"sending again after {starts[starts.Count / 2]:f2} s in the median, {starts[^1]:f2} s at most, {starts.Count(start => start > Patience.TotalSeconds)} of {starts.Count} over {Patience.TotalSeconds:f0} s");
        return kills;
    }

    // Where somebody has got it there is something to resume: it has to go on soon.
    private static void AssertSoon(List<Kill> kills) => Assert.All(kills.Where(kill => kill is { Start: not null, Resumed: true }), kill => Assert.InRange(kill.Start!.Value, TimeSpan.Zero, Patience));

    // What a kill leaves uncertain may never come: so many are sure to, whatever the other kills have left.
    private static Task WhileSendingAsync(ScriptedSmtpServer relay, int accepted) => relay.WaitForAcceptedAsync(Math.Min(accepted, Subscribers - Kills * Connections), Limit);

    // How many each kill left uncertain. What a kill has left is told by the process that comes after it, so it shows after the next kill.
    private static List<int> Uncertain(List<Kill> kills, int inAll)
    {
        var each = kills.Select((kill, i) => (i + 1 < kills.Count ? kills[i + 1].UncertainBefore : inAll) - kill.UncertainBefore).ToList();
        Say($"{inAll} uncertain after {kills.Count} kills, {each.Average():f2} a kill, {each.Max()} at most; {kills.Average(kill => kill.Marked):f2} marks");
        return each;
    }

    private static void Say(string line) => TestContext.Current.TestOutputHelper!.WriteLine(line);

    private static async Task<(int Marked, int Uncertain)> LeftAsync(Workspace workspace)
    {
        var status = await workspace.RunHereAsync("status", "week-1", "--json");
        if (status.ExitCode != 0) return default;
        var balance = JsonDocument.Parse(status.Out).RootElement;
        return (balance.GetProperty("sending").GetInt32(), balance.GetProperty("uncertain").GetInt32());
    }

    private static ScriptedSmtpServer Relay() => ScriptedSmtpServer.Start(new ScriptedSmtpOptions { KeepDigests = true, Script = SlowAtTheDot });

    // Long enough at the dot that a kill finds messages that were handed over and not answered.
    private static SmtpMove SlowAtTheDot(SmtpMoment moment)
        => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(3), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept;

    private sealed record Kill(TimeSpan? Start, bool Resumed, int Open, int Marked, int UncertainBefore);
}
