using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using WeeklyDigest.Tests.Databases;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>
/// The disk with the database is full. The data folder is a small disk in memory, in a mount namespace of the server's own, which needs
/// root or user namespaces; it is reached through the server's /proc entry and gone with it.
/// </summary>
public sealed partial class FullDiskTests
{
    private const int Connections = 4;
    private static readonly int Subscribers = Scale.Of(1500, 10_000);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Sending_stops_without_a_crash_and_goes_on_by_itself_when_there_is_room_again()
    {
        await using var relay = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message
            ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept)
            : SmtpMove.Accept);
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections)
            .Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        var data = Directory.CreateDirectory(workspace.PathOf("data")).FullName;
        workspace.Through =
        [
            "unshare", IsRoot ? "--mount" : "--map-root-user", IsRoot ? "--mount-proc=/proc" : "--mount",
            "sh", "-c", "mount -t tmpfs -o size=32m tmpfs \"$0\" && exec \"$@\"", data,
        ];
        using var serve = workspace.Start("serve");
        using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token=", Limit));
        await editor.TriggerAsync("weekly-digest");
        await relay.WaitForAcceptedAsync(20, Limit);

        var there = $"/proc/{serve.Id.ToString(CultureInfo.InvariantCulture)}/root{data}";
        Fill(Path.Combine(there, "ballast"));
        await Eventually.HoldsAsync(() => serve.Error.Contains("is full", StringComparison.Ordinal), "it says why nothing is sent", Limit);
        await Eventually.HoldsAsync(() => Notice().IsMatch(editor.TextAsync("/hangfire/issues").Result), "the page Issues says it too", Limit);
        var accepted = relay.AcceptedCount;
        // Hangfire's patience with its storage ends after five minutes, if one lets it.
        await Task.Delay(Scale.Of(TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(6.5)), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.InRange(relay.AcceptedCount - accepted, 0, Connections);
        Assert.InRange(accepted, 20, Subscribers - 1);

        File.Delete(Path.Combine(there, "ballast"));
        await relay.WaitForAcceptedAsync(Subscribers, Limit);
        var all = $"{Subscribers.ToString("N0", CultureInfo.InvariantCulture)}</strong> of {Subscribers.ToString("N0", CultureInfo.InvariantCulture)} sent";
        await Eventually.HoldsAsync(() => editor.TextAsync("/hangfire/issues").Result.Contains(all, StringComparison.Ordinal), "the last one is recorded", Limit);
        await JobWentOnAsync(editor);
        // Trouble is said when it begins and when it ends, and a few times in between.
        Assert.InRange(serve.Error.Split('\n').Length, 1, 200);
        foreach (var file in Directory.GetFiles(there, "*.db*")) File.Copy(file, Path.Combine(data, Path.GetFileName(file)));
        await IsSoundAsync(Path.Combine(data, "jobs.db"));
        workspace.Through = [];
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal((Subscribers, Subscribers), (accounts["sent"], relay.AcceptedCount));
    }

    [Fact]
    public async Task So_does_a_server_whose_database_has_no_room_left()
    {
        using var server = new PrivatePostgres(hasSmallDisk: true);
        server.Execute($"CREATE TABLESPACE small LOCATION '{server.SmallDisk}'");
        server.Execute("CREATE DATABASE digest TABLESPACE small");
        await using var relay = ScriptedSmtpServer.Start();
        using var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers).UseRelay(relay.Port, Connections).Set("Smtp:Relays:0:MessagesPerSecond", 200)
            .Set("Storage:Provider", "postgres").Set("Storage:ConnectionString", server.ConnectionString("digest"));
        using var send = workspace.Start("send", "week-1");
        await relay.WaitForAcceptedAsync(20, Limit);

        Fill(server.OnDisk("ballast"));
        // Now and then a row still finds room in a page that was there before; what does not is neither sent nor forgotten.
        await Eventually.HoldsAsync(() => send.Out.Split("is full").Length > 3, "it says so again and again", Limit);
        Assert.InRange(relay.AcceptedCount, 20, Subscribers - 1);

        File.Delete(server.OnDisk("ballast"));
        Assert.Equal(0, (await send.EndAsync(Limit)).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(relay);
        Assert.Equal((Subscribers, Subscribers, 0), (accounts["sent"], relay.AcceptedCount, accounts["uncertain"]));
    }

    [Fact]
    public async Task A_server_that_starts_on_it_waits_for_room()
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(2).UseRelay(LoopbackPort.Free()).Set("Newsletter:BaseUrl", "https://digest.example.com").Set("Urls", "http://127.0.0.1:0");
        var data = Directory.CreateDirectory(workspace.PathOf("data")).FullName;
        workspace.Through =
        [
            "unshare", IsRoot ? "--mount" : "--map-root-user", IsRoot ? "--mount-proc=/proc" : "--mount",
            "sh", "-c", "mount -t tmpfs -o size=32m tmpfs \"$0\" && { head -c 64m /dev/zero > \"$0/ballast\"; exec \"$@\"; }", data,
        ];
        using var serve = workspace.Start("serve");
        await Eventually.HoldsAsync(() => serve.Error.Contains("This is waited for", StringComparison.Ordinal), "it says what it waits for", Limit);
        Assert.Contains("is full", serve.Error, StringComparison.Ordinal);
        File.Delete($"/proc/{serve.Id.ToString(CultureInfo.InvariantCulture)}/root{data}/ballast");
        using var editor = await Editor.SignInAsync(await serve.PrintedAsync("/sign-in?token=", Limit));
        Assert.True(await editor.IsReadyAsync());
    }

    [Fact]
    public async Task A_command_that_meets_it_beside_the_database_says_so_too()
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(2).UseRelay(LoopbackPort.Free());
        workspace.Set("Storage:ConnectionString", workspace.PathOf("elsewhere.db"));
        var data = Directory.CreateDirectory(workspace.PathOf("data")).FullName;
        workspace.Through =
        [
            "unshare", IsRoot ? "--mount" : "--map-root-user", "--mount",
            "sh", "-c", "mount -t tmpfs -o size=64k tmpfs \"$0\" && { head -c 1m /dev/zero > \"$0/ballast\"; exec \"$@\"; } 2>&1", data,
        ];
        var result = await workspace.RunAsync("send", "week-1");
        Assert.Equal(1, result.ExitCode);
        Assert.Matches(@"(?m)^The disk is full: .*/data/locks/.*\. Make room, then run the same command again: what was done stays done\.$", result.Out.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task The_built_in_inbox_puts_off_what_it_has_no_room_for()
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(200);
        var inbox = Directory.CreateDirectory(workspace.InboxFolder).FullName;
        workspace.Through =
        [
            "unshare", IsRoot ? "--mount" : "--map-root-user", "--mount",
            "sh", "-c", "mount -t tmpfs -o size=2m tmpfs \"$0\" && { \"$@\"; code=$?; \"$1\" doctor; ls \"$0\" | grep -c eml$; ls \"$0/tmp\" | wc -l; exit $code; }", inbox, // how many were kept, and how many drafts are left
        ];
        var result = await workspace.RunAsync("send", "week-1");
        Assert.Equal(3, result.ExitCode);
        Assert.Contains($"Paths:Data: the disk with the folder {inbox} has no room for a large message. Make room on it", result.Out, StringComparison.Ordinal);
        workspace.Through = [];
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        Assert.InRange(accounts["sent"], 1, 199);
        Assert.Equal((200 - accounts["sent"], 0), (accounts["deferred"], accounts["uncertain"]));
        Assert.EndsWith(FormattableString.Invariant($"\n{accounts["sent"]}\n0\n"), result.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        var deferred = (await workspace.RunAsync("deliveries", "week-1", "--state", "deferred", "--csv")).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];
        Assert.All(deferred, row => Assert.Contains("452 4.3.1 Cannot keep the message: No space left on device", row, StringComparison.Ordinal));
    }

    // The job waited with the mailing: it was neither interrupted nor begun again.
    private static async Task JobWentOnAsync(Editor editor)
    {
        var job = await editor.LastJobAsync("weekly-digest") ?? throw new InvalidOperationException("Nothing was triggered.");
        await Eventually.HoldsAsync(() => editor.TextAsync($"/hangfire/jobs/details/{job}").Result.Contains("Sent: week-1", StringComparison.Ordinal), "the job says so", Limit);
        Assert.Equal(1, await editor.RunsAsync(job));
    }

    private static async Task IsSoundAsync(string file)
    {
        await using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var check = connection.CreateCommand();
        check.CommandText = "PRAGMA integrity_check";
        Assert.Equal("ok", await check.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    private static bool IsRoot => UserId() == 0;

    // To the last byte.
    private static void Fill(string path)
    {
        using var ballast = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4096];
        try
        {
            while (true) ballast.Write(block);
        }
        catch (IOException)
        {
            // That was the last one.
        }
    }

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint UserId();

    [GeneratedRegex("The database has not been usable since .* is full.* sending goes on by itself")]
    private static partial Regex Notice();
}
