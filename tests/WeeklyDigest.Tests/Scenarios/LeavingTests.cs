using System.Text;
using System.Text.RegularExpressions;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Subscribers leave while an issue is on its way.</summary>
public sealed partial class LeavingTests
{
    private const int Subscribers = 400;
    private const int ByLink = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Who_leaves_in_the_middle_of_a_send_by_link_or_command_gets_nothing_more()
    {
        // Two connections without stand-ins: once both are held, nobody gets anything until the gate opens.
        var gate = new TaskCompletionSource();
        var isSecondIssue = false;
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            KeepBytes = true,
            Script = moment => moment.Stage == SmtpStage.Message && Volatile.Read(ref isSecondIssue) && moment.Time > 1 && Number(moment.Recipient) % 50 == 0
                ? SmtpMove.Hold(gate.Task, SmtpMove.Accept)
                : SmtpMove.Accept,
        });
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, 2).Set("Smtp:Relays:0:StalledConnections", 0).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        workspace.Write("issues/second.md", "---\ntitle: second issue\n---\nHello again.\n");
        using var serve = workspace.Start("serve");
        var address = Address().Match(await serve.PrintedAsync("/sign-in?token=")).Value;
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        var links = relay.Accepted.ToDictionary(message => message.Recipient, message => UnsubscribeToken(message.Bytes.Span));

        Volatile.Write(ref isSecondIssue, true);
        using var send = workspace.Start("send", "second");
        await relay.WaitForAsync(r => r.AcceptedCount > Subscribers + 20 && r.Commands.Count(c => c.Line.Contains("000050@", StringComparison.Ordinal)) > 1, Limit, "the second issue is on its way");
        var handedOver = relay.Commands.Where(c => c.Line.StartsWith("RCPT", StringComparison.Ordinal)).Select(c => c.Line).GroupBy(line => line).Where(g => g.Count() > 1).Select(g => g.Key).ToHashSet();
        var leaving = links.Keys.Where(recipient => !handedOver.Any(line => line.Contains(recipient, StringComparison.Ordinal))).Order(StringComparer.Ordinal).Reverse().Take(ByLink + 1).ToList();
        Assert.Equal(ByLink + 1, leaving.Count);
        using var http = new HttpClient { BaseAddress = new Uri(address) };
        var left = new Dictionary<string, DateTimeOffset>();
        foreach (var recipient in leaving.Take(ByLink))
        {
            await LeaveByLinkAsync(http, links[recipient]);
            left[recipient] = TimeProvider.System.GetUtcNow();
        }

        Assert.Equal(0, (await workspace.RunAsync("subscribers", "unsubscribe", leaving[^1])).ExitCode);
        left[leaving[^1]] = TimeProvider.System.GetUtcNow();
        // The server joins a send that takes long, with connections of its own: whom these were about to reach may still get it within the second.
        var underWay = leaving.Where(recipient => relay.Commands.Count(c => c.Line.StartsWith($"RCPT TO:<{recipient}>", StringComparison.Ordinal)) > 1).ToHashSet();
        gate.SetResult();

        Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "second");
        var second = relay.Accepted.Skip(Subscribers).Select(message => message.Recipient).ToList();
        Assert.All(relay.Accepted.Skip(Subscribers).Where(message => underWay.Contains(message.Recipient)), message => Assert.True(message.At <= left[message.Recipient] + TimeSpan.FromSeconds(1)));
        leaving.RemoveAll(recipient => underWay.Contains(recipient) && second.Contains(recipient));
        Assert.Empty(second.Intersect(leaving));
        Assert.Equal(second.Count, second.Distinct().Count());
        Assert.Equal((leaving.Count, Subscribers - leaving.Count, second.Count), (accounts["suppressed"], accounts["sent"], accounts["sent"]));
        Assert.Equal(leaving.Order(StringComparer.Ordinal), accounts.Rows.Where(row => row.State == "suppressed").Select(row => row.Address).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Many_leave_while_it_is_sent_and_nothing_reaches_one_of_them_later_than_a_second_after_that()
    {
        var (subscribers, leavers) = (Scale.Of(400, 5000), Scale.Of(60, 500));
        // Some recipients the relay thinks about for longer than that, and some messages it does not ask for at once.
        await using var relay = ScriptedSmtpServer.Start(moment => (moment.Stage, Number(moment.Recipient) % 20) is (SmtpStage.RcptTo, 1) or (SmtpStage.Data, 11)
            ? SmtpMove.Hold(Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System), SmtpMove.Accept)
            : SmtpMove.Accept);
        using var workspace = new Workspace().WithWeek1().WithSubscribers(subscribers).UseRelay(relay.Port).Set("Smtp:Relays:0:MessagesPerSecond", Scale.Of(80, 300))
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        using var serve = workspace.Start("serve");
        var address = Address().Match(await serve.PrintedAsync("/sign-in?token=")).Value;
        using var http = new HttpClient { BaseAddress = new Uri(address) };
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(10, Limit);

        var tokens = Tokens(workspace, subscribers);
        var random = new Random(1);
        var leaving = Enumerable.Range(1, subscribers).OrderBy(_ => random.Next()).Take(leavers).ToList();
        await Parallel.ForEachAsync(leaving, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = TestContext.Current.CancellationToken },
            async (number, _) => await LeaveByLinkAsync(http, tokens[number]));

        Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal(subscribers, accounts["sent"] + accounts["suppressed"]);
        // Both sides: who got it, got it before leaving or within the second; who did not is suppressed, and those are not few.
        var got = relay.Accepted.ToDictionary(message => Number(message.Recipient), message => message.At);
        Assert.All(leaving.Where(got.ContainsKey), number => Assert.True(got[number] <= LeftAt(workspace, number) + TimeSpan.FromSeconds(1), $"{number} got it at {got[number]:O}"));
        Assert.Equal(leaving.Where(number => !got.ContainsKey(number)).Order(), accounts.Rows.Where(row => row.State == "suppressed").Select(row => Number(row.Address)));
        Assert.InRange(accounts["suppressed"], leavers / 10, leavers);
    }

    // The clicks come from messages of this very issue: the same links that are in them.
    private static Dictionary<int, string> Tokens(Workspace workspace, int subscribers)
    {
        var key = Convert.FromHexString(LedgerFile.Text(workspace, "SELECT hex(value) FROM secret WHERE name = 'links'"));
        var links = new WeeklyDigest.Feedback.LinkTokens(key);
        var first = long.Parse(LedgerFile.Text(workspace, "SELECT id FROM subscriber WHERE address = 'subscriber000001@example.com'"), System.Globalization.CultureInfo.InvariantCulture);
        return Enumerable.Range(1, subscribers).ToDictionary(number => number, number => links.UnsubscribeToken(new WeeklyDigest.Deliveries.DeliveryId(1, first + number - 1)));
    }

    private static DateTimeOffset LeftAt(Workspace workspace, int number) => DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(
        LedgerFile.Text(workspace, $"SELECT at FROM suppression WHERE address = 'subscriber{number:D6}@example.com'"), System.Globalization.CultureInfo.InvariantCulture));

    // A link scanner opens the link first; only the POST counts.
    private static async Task LeaveByLinkAsync(HttpClient http, string token)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var looked = await http.GetAsync(new Uri("/unsubscribe/" + token, UriKind.Relative), cancel);
        looked.EnsureSuccessStatusCode();
        using var body = new FormUrlEncodedContent([KeyValuePair.Create("List-Unsubscribe", "One-Click")]);
        using var left = await http.PostAsync(new Uri("/unsubscribe/" + token, UriKind.Relative), body, cancel);
        left.EnsureSuccessStatusCode();
    }

    private static int Number(string address)
        => address.StartsWith("subscriber", StringComparison.Ordinal) ? int.Parse(address.AsSpan(10, 6), System.Globalization.CultureInfo.InvariantCulture) : 0;

    private static string UnsubscribeToken(ReadOnlySpan<byte> message)
        => Token().Match(Encoding.UTF8.GetString(message).Replace("\r\n ", "", StringComparison.Ordinal)).Groups[1].Value;

    [GeneratedRegex(@"^List-Unsubscribe: .*?<https?://[^>]*/unsubscribe/([\w-]+)>", RegexOptions.Multiline)]
    private static partial Regex Token();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();
}
