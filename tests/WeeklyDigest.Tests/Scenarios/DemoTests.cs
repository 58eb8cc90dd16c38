using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using WeeklyDigest.Server.Inbox;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The first thing anybody runs.</summary>
public sealed partial class DemoTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("SIGTERM")]
    [InlineData("SIGINT")]
    public async Task Publishes_to_the_sample_list_shows_a_balance_serves_and_leaves_nothing_behind(string signal)
    {
        using var workspace = new Workspace().WithWeek1();
        var sample = Path.Combine(Workspace.RepositoryRoot, "subscribers", "sample.csv");
        File.Copy(sample, workspace.PathOf("subscribers/sample.csv"));
        var temporary = Directory.CreateDirectory(workspace.PathOf("temporary")).FullName;
        workspace.Environment["TMPDIR"] = temporary;
        using var demo = workspace.Start("demo");
        var printed = await demo.PrintedAsync("/sign-in?token=", Limit);

        var balance = BalanceLine().Match(printed);
        Assert.True(balance.Success, printed);
        var numbers = Number().Matches(balance.Value).Select(n => int.Parse(n.Value, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(numbers[0], numbers.Skip(1).Sum());
        Assert.True(numbers[0] > 0, printed);
        Assert.Contains($"{numbers[0]} sent", balance.Value, StringComparison.Ordinal);

        using var editor = await Editor.SignInAsync(printed);
        var inbox = new InboxStore(Path.Combine(DataFolder(temporary), "inbox"));
        Assert.Equal(numbers[0], inbox.Count);
        Assert.All(inbox.Page(0, 5), entry => Assert.NotEqual("", entry.Subject));
        Assert.Contains(inbox.Page(0, 1)[0].Recipients[0], await editor.TextAsync("/inbox"), StringComparison.Ordinal);
        Assert.Contains("weekly-digest", await editor.TextAsync("/hangfire/recurring"), StringComparison.Ordinal);
        Assert.Contains("week-1", await editor.TextAsync("/hangfire/issues"), StringComparison.Ordinal);

        if (signal == "SIGTERM") demo.Terminate();
        else demo.Interrupt();
        var end = await demo.EndAsync(Limit);
        Assert.True(end.ExitCode == 0, end.ToString());
        Assert.Empty(Directory.GetDirectories(temporary));
        Assert.False(Directory.Exists(workspace.PathOf("data")));
        var port = int.Parse(Address().Match(printed).Groups[1].Value, CultureInfo.InvariantCulture);
        await Assert.ThrowsAnyAsync<SocketException>(async () =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
        });
    }

    [Fact]
    public async Task Interrupted_while_it_sends_it_ends_without_a_word_of_a_crash_and_leaves_nothing_behind()
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(20_000, "sample");
        var temporary = Directory.CreateDirectory(workspace.PathOf("temporary")).FullName;
        workspace.Environment["TMPDIR"] = temporary;
        using var demo = workspace.Start("demo");
        await demo.PrintedAsync(" sent of 20000", Limit);
        demo.Interrupt();
        var end = await demo.EndAsync(Limit);
        Assert.True(end.ExitCode == 1, end.ToString());
        Assert.DoesNotMatch("(?m)^(crit|fail):", end.Error);
        Assert.Empty(Directory.GetDirectories(temporary));
    }

    [Fact]
    public async Task Listens_where_the_settings_say()
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(1, "sample");
        var url = $"http://127.0.0.1:{LoopbackPort.Free()}";
        workspace.Environment["Urls"] = url;
        using var demo = workspace.Start("demo");
        Assert.Contains($"{url}/sign-in?token=", await demo.PrintedAsync("/sign-in?token=", Limit), StringComparison.Ordinal);
        demo.Terminate();
        Assert.Equal(0, (await demo.EndAsync(Limit)).ExitCode);
    }

    // The throw-away data folder, wherever in the temporary folder it was put.
    private static string DataFolder(string temporary)
        => Path.GetDirectoryName(Directory.GetDirectories(temporary, "inbox", SearchOption.AllDirectories).Single())!;

    [GeneratedRegex(@"\d+ = \d+ pending \+ \d+ claimed \+ \d+ sending \+ \d+ deferred \+ \d+ sent \+ \d+ failed \+ \d+ suppressed \+ \d+ uncertain")]
    private static partial Regex BalanceLine();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();

    [GeneratedRegex(@"http://127\.0\.0\.1:(\d+)")]
    private static partial Regex Address();
}
