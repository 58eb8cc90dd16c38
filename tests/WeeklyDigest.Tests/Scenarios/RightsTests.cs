using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>Files whose modes keep this user out. Modes do not bind root, so commands of root are started without what makes it so.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class RightsTests : IDisposable
{
    private const UnixFileMode Read = UnixFileMode.UserRead;

    private const UnixFileMode ReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Workspace workspace = new Workspace().WithWeek1().WithSubscribers(2);

    public RightsTests()
    {
        if (Environment.IsPrivilegedProcess) workspace.Through = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    }

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task A_mailing_that_is_finished_ends_send_also_on_a_ledger_that_cannot_be_written()
    {
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        File.SetUnixFileMode(workspace.DatabaseFile, Read);
        var again = await workspace.RunAsync("send", "week-1");
        Assert.Equal((0, ""), (again.ExitCode, again.Error));
        Assert.Contains(": nothing is left to send.\n", again.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_says_what_serve_and_send_would_refuse_over_and_changes_nothing()
    {
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        await ServeOnceAsync();
        Assert.Contains("\n0 problems, ", (await workspace.RunAsync("doctor")).Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);

        var files = Directory.GetFiles(workspace.PathOf("data"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        await FindsAsync("data/weeklydigest.db", Read, $"problem  database:  The database {workspace.DatabaseFile} cannot be written. Make the file and its folder writable for this user.");
        var jobs = workspace.PathOf("data/jobs.db");
        await FindsAsync("data/jobs.db", Read, $"problem  jobs:      The job database {jobs} cannot be written. Make the file and its folder writable for this user. Where no jobs.db is");
        await FindsAsync("data/jobs.db-owners", Read | UnixFileMode.UserExecute, "problem  jobs:      " + OwnersClosed);
        foreach (var name in new[] { "locks", "keys", "inbox" })
        {
            var folder = workspace.PathOf("data/" + name);
            await FindsAsync("data/" + name, Read | UnixFileMode.UserExecute, $"problem  folders:   Paths:Data: the user {Environment.UserName} may not write in the folder {folder}. Let that user write there.\n");
            if (name != "inbox") await FindsAsync("data/" + name, UnixFileMode.UserWrite | UnixFileMode.UserExecute, $"problem  folders:   Paths:Data: the user {Environment.UserName} may not read {folder}. Let that user do so", name == "locks" ? "read and write" : "read");
        }
        var key = Path.GetRelativePath(workspace.Root, Assert.Single(Directory.GetFiles(workspace.PathOf("data/keys"))));
        await FindsAsync(key, UnixFileMode.None, $"problem  folders:   Paths:Data: the user {Environment.UserName} may not read {workspace.PathOf(key)}. Let that user do so");
        Assert.Contains("\n0 problems, ", (await workspace.RunAsync("doctor")).Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Equal(files, Directory.GetFiles(workspace.PathOf("data"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
        await FindsAsync("data", Read | UnixFileMode.UserExecute, $"problem  folders:   Paths:Data: the user {Environment.UserName} may not write in the folder {workspace.PathOf("data")}.");
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_keeps_nobody_from_a_ledger_that_needs_nothing_new_there_and_doctor_says_both()
    {
        using (var server = workspace.Start("serve", "--urls", $"http://127.0.0.1:{LoopbackPort.Free()}"))
        {
            await server.PrintedAsync("Archive ");
            server.Kill();
            await server.EndAsync(TimeSpan.FromMinutes(1));
        }
        var data = workspace.PathOf("data");
        File.SetUnixFileMode(data, Read | UnixFileMode.UserExecute);
        var doctor = await workspace.RunAsync("doctor");
        var send = await workspace.RunAsync("send", "week-1");
        await ServeOnceAsync();
        File.SetUnixFileMode(data, ReadWrite | UnixFileMode.UserExecute);

        Assert.Contains($"problem  folders:   Paths:Data: the user {Environment.UserName} may not write in the folder {data}.", doctor.Out, StringComparison.Ordinal);
        Assert.Contains($"ok       database:  {workspace.DatabaseFile} opens and has this version's schema", doctor.Out, StringComparison.Ordinal);
        Assert.Equal((0, ""), (send.ExitCode, send.Error));
    }

    [Theory]
    [InlineData("data/keys", UnixFileMode.UserRead | UnixFileMode.UserExecute, "may not write in the folder {0}. Let that user write there")]
    [InlineData("data/keys", UnixFileMode.UserWrite | UnixFileMode.UserExecute, "may not read {0}. Let that user do so")]
    public async Task Serve_does_not_start_where_it_cannot_keep_the_keys_that_let_editors_in(string folder, UnixFileMode mode, string trouble)
    {
        await ServeOnceAsync();
        File.SetUnixFileMode(workspace.PathOf(folder), mode);
        var result = await workspace.RunAsync("serve", "--urls", $"http://127.0.0.1:{LoopbackPort.Free()}");
        File.SetUnixFileMode(workspace.PathOf(folder), ReadWrite | UnixFileMode.UserExecute);
        var words = $"The keys that let editors in cannot be kept: the user {Environment.UserName} {string.Format(CultureInfo.InvariantCulture, trouble, workspace.PathOf(folder))}.\n";
        Assert.Equal((1, words), (result.ExitCode, result.Error.ReplaceLineEndings("\n")));
        Assert.DoesNotContain("sign-in", result.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Serve_names_the_folder_beside_the_jobs_that_it_cannot_use(bool isFile)
    {
        await ServeOnceAsync();
        var owners = workspace.PathOf("data/jobs.db-owners");
        if (isFile)
        {
            Directory.Delete(owners);
            await File.WriteAllTextAsync(owners, "", TestContext.Current.CancellationToken);
        }
        else
        {
            File.SetUnixFileMode(owners, Read | UnixFileMode.UserExecute);
        }
        var words = isFile ? $"The job database {workspace.PathOf("data/jobs.db")} cannot be used: {owners} is a file, where a folder has to be. Move it away." : OwnersClosed;
        var serve = await workspace.RunAsync("serve", "--urls", $"http://127.0.0.1:{LoopbackPort.Free()}");
        Assert.Equal(1, serve.ExitCode);
        Assert.Contains(words, serve.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", serve.Error, StringComparison.Ordinal);
        Assert.Contains("problem  jobs:      " + words, (await workspace.RunAsync("doctor")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_ends_in_good_order_when_the_folder_beside_the_jobs_was_closed_under_it()
    {
        using var server = workspace.Start("serve", "--urls", $"http://127.0.0.1:{LoopbackPort.Free()}");
        await server.PrintedAsync("Archive ");
        File.SetUnixFileMode(workspace.PathOf("data/jobs.db-owners"), Read | UnixFileMode.UserExecute);
        server.Interrupt();
        Assert.Equal(0, (await server.EndAsync(TimeSpan.FromMinutes(1))).ExitCode);
        Assert.DoesNotContain("   at ", server.Error, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(workspace.PathOf("data/jobs.db-owners")));
    }

    [Fact]
    public async Task A_database_that_can_be_written_again_is_used_again_whatever_was_left_beside_it()
    {
        await LeaveReadOnlySidesAsync();
        var doctor = await workspace.RunAsync("doctor");
        Assert.Contains("\n0 problems, ", doctor.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);

        await LeaveReadOnlySidesAsync();
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        await ServeOnceAsync();
        Assert.Empty(Directory.GetFiles(workspace.PathOf("data"), "*-shm"));
    }

    [Fact]
    public async Task A_file_of_another_user_beside_a_database_is_named_with_what_to_do()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root gives files away.");
        await LeaveReadOnlySidesAsync();
        var (ledger, jobs) = (workspace.DatabaseFile + "-shm", workspace.PathOf("data/jobs.db-shm"));
        using (var change = Process.Start("chown", ["65534", ledger, jobs])) await change.WaitForExitAsync(TestContext.Current.CancellationToken);
        workspace.Through = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"];

        var remedy = $"Let that user read and write it (`chown {Environment.UserName} ";
        var words = $"The database {workspace.DatabaseFile} cannot be used: the user {Environment.UserName} may not read and write {ledger}, which belongs to it. {remedy}{ledger}`).";
        var jobWords = $"The job database {workspace.PathOf("data/jobs.db")} cannot be used: the user {Environment.UserName} may not read and write {jobs}, which belongs to it. {remedy}{jobs}`).";
        var doctor = await workspace.RunAsync("doctor");
        Assert.Contains("problem  database:  " + words, doctor.Out, StringComparison.Ordinal);
        Assert.Contains("problem  jobs:      " + jobWords, doctor.Out, StringComparison.Ordinal);
        workspace.Write("issues/week-2.md", await File.ReadAllTextAsync(workspace.PathOf("issues/week-1.md"), TestContext.Current.CancellationToken) + "\nMore.\n");
        var send = await workspace.RunAsync("send", "week-2");
        Assert.Equal((1, words), (send.ExitCode, send.Error.TrimEnd()));
        File.Delete(ledger);
        var serve = await workspace.RunAsync("serve", "--urls", $"http://127.0.0.1:{LoopbackPort.Free()}");
        Assert.Equal(1, serve.ExitCode);
        Assert.Contains(jobWords, serve.Error, StringComparison.Ordinal);
    }

    private string OwnersClosed
    {
        get
        {
            var jobs = workspace.PathOf("data/jobs.db");
            return $"The job database {jobs} cannot be used: the user {Environment.UserName} may not write in the folder {jobs}-owners, which belongs to it. "
                + $"Let that user write there (`chown -R {Environment.UserName} {jobs}-owners`).";
        }
    }

    // The mode is taken back, so that one trouble is looked at at a time.
    private async Task FindsAsync(string path, UnixFileMode mode, string words, string access = "read")
    {
        var place = workspace.PathOf(path);
        var before = File.GetUnixFileMode(place);
        File.SetUnixFileMode(place, mode);
        var result = await workspace.RunAsync("doctor");
        File.SetUnixFileMode(place, before);
        Assert.Equal((1, ""), (result.ExitCode, result.Error));
        Assert.Contains(words.Replace("may not read /", $"may not {access} /", StringComparison.Ordinal), result.Out, StringComparison.Ordinal);
    }

    // SQLite gives what it makes beside a database the database's mode.
    private async Task LeaveReadOnlySidesAsync()
    {
        Assert.Equal(0, (await workspace.RunAsync("send", "week-1")).ExitCode);
        await ServeOnceAsync();
        string[] databases = [workspace.DatabaseFile, workspace.PathOf("data/jobs.db")];
        foreach (var database in databases) File.SetUnixFileMode(database, Read);
        await workspace.RunAsync("status");
        await workspace.RunAsync("serve", "--urls", $"http://127.0.0.1:{LoopbackPort.Free()}");
        foreach (var database in databases)
        {
            Assert.Equal(Read, File.GetUnixFileMode(database + "-shm"));
            File.SetUnixFileMode(database, ReadWrite);
        }
    }

    private async Task ServeOnceAsync()
    {
        using var server = workspace.Start("serve", "--urls", $"http://127.0.0.1:{LoopbackPort.Free()}");
        await server.PrintedAsync("Archive ");
        server.Interrupt();
        Assert.Equal(0, (await server.EndAsync(TimeSpan.FromMinutes(1))).ExitCode);
    }
}
