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
        var gate = new TaskCompletionSource();
        var isSecondIssue = false;
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            KeepBytes = true,
            Script = moment => moment.Stage == SmtpStage.Message && Volatile.Read(ref isSecondIssue) && moment.Time > 1 && Number(moment.Recipient) % 50 == 0
                ? SmtpMove.Hold(gate.Task, SmtpMove.Accept)
                : SmtpMove.Accept,
        });
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, 2).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
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
        foreach (var recipient in leaving.Take(ByLink))
        {
            await LeaveByLinkAsync(http, links[recipient]);
        }

        Assert.Equal(0, (await workspace.RunAsync("subscribers", "unsubscribe", leaving[^1])).ExitCode);
        gate.SetResult();

        Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "second");
        var second = relay.Accepted.Skip(Subscribers).Select(message => message.Recipient).ToList();
        Assert.Empty(second.Intersect(leaving));
        Assert.Equal(second.Count, second.Distinct().Count());
        Assert.Equal((leaving.Count, Subscribers - leaving.Count, second.Count), (accounts["suppressed"], accounts["sent"], accounts["sent"]));
        Assert.Equal(leaving.Order(StringComparer.Ordinal), accounts.Rows.Where(row => row.State == "suppressed").Select(row => row.Address).Order(StringComparer.Ordinal));
    }

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
