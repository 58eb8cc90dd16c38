namespace WeeklyDigest.Tests.Commands;

public sealed class LostLedgerTests : IDisposable
{
    private readonly Workspace workspace = new Workspace().WithWeek1().WithSubscribers(3).Set("Urls", "http://127.0.0.1:0").Set("Newsletter:BaseUrl", "https://digest.example.com");

    private string Words => $"The database {workspace.DatabaseFile} is gone, where a server has run: its {workspace.PathOf("data/jobs.db")} is there. "
        + "Put the file back, or a backup of it; or, if it was moved, set Storage:ConnectionString to where it is. "
        + $"To begin anew, without knowing who has unsubscribed and what was sent, stop every weeklydigest here and move all of {workspace.PathOf("data")} away.";

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task A_ledger_that_is_gone_where_a_server_has_run_is_not_begun_anew_until_all_of_its_folder_is_moved_away()
    {
        await ServeAsync();
        File.Delete(workspace.DatabaseFile);
        using (var refused = workspace.Start("serve"))
        {
            var end = await refused.EndAsync(TimeSpan.FromMinutes(1));
            Assert.Equal((1, "", Words), (end.ExitCode, end.Out, end.Error.TrimEnd()));
        }
        Assert.False(File.Exists(workspace.DatabaseFile));

        Directory.Move(workspace.PathOf("data"), workspace.PathOf("away"));
        await ServeAsync();
    }

    [Theory]
    [InlineData("send", "week-1")]
    [InlineData("subscribers", "import", "subscribers/all.csv", "--list", "all")]
    [InlineData("subscribers", "unsubscribe", "ada@example.org")]
    [InlineData("subscribers", "show", "ada@example.org")]
    [InlineData("status")]
    [InlineData("serve")]
    [InlineData("move", "--to", "postgres", "--connection", "Host=127.0.0.1;Database=x;Username=x")]
    public async Task No_command_makes_an_empty_one(params string[] command)
    {
        workspace.Write("data/jobs.db", "");
        var result = await workspace.RunHereAsync(command);
        Assert.Equal((1, "", Words), (result.ExitCode, result.Out, result.Error.TrimEnd()));
        Assert.Equal([workspace.PathOf("data/jobs.db")], Directory.GetFileSystemEntries(workspace.PathOf("data")));
    }

    [Fact]
    public async Task The_doctor_says_the_same()
    {
        workspace.Write("data/jobs.db", "");
        var result = await workspace.RunHereAsync("doctor");
        Assert.Contains($"problem  database:  {Words} Nothing can be sent until then.", result.Out, StringComparison.Ordinal);
        Assert.Equal(1, result.ExitCode);
    }

    [Fact]
    public async Task An_empty_file_is_no_ledger_either()
    {
        workspace.Write("data/jobs.db", "");
        workspace.Write("data/weeklydigest.db", "");
        var result = await workspace.RunHereAsync("send", "week-1");
        Assert.Equal((1, Words.Replace("is gone", "is empty", StringComparison.Ordinal)), (result.ExitCode, result.Error.TrimEnd()));
        Assert.Equal(0, new FileInfo(workspace.DatabaseFile).Length);
    }

    [Fact]
    public async Task Who_only_looks_at_the_settings_does_not_make_one_of_an_empty_file()
    {
        workspace.Write("data/jobs.db", "");
        workspace.Write("data/weeklydigest.db", "");
        var result = await workspace.RunHereAsync("config");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Whether the page Issues was told another schedule cannot be said: the database does not open.", result.Out, StringComparison.Ordinal);
        Assert.Equal(0, new FileInfo(workspace.DatabaseFile).Length);
    }

    // As it is where only commands were run, or where the ledger was on a server: keys, locks and the inbox, and no jobs.
    [Fact]
    public async Task Where_no_server_has_kept_its_jobs_a_ledger_is_made()
    {
        foreach (var folder in new[] { "keys", "locks", "inbox" }) Directory.CreateDirectory(workspace.PathOf($"data/{folder}"));
        Assert.Equal(0, (await workspace.RunHereAsync("send", "week-1")).ExitCode);
        Assert.True(File.Exists(workspace.DatabaseFile));
    }

    [Fact]
    public async Task With_the_ledger_on_a_server_nobody_misses_the_file()
    {
        workspace.Write("data/jobs.db", "");
        workspace.On("postgres");
        Assert.Equal(0, (await workspace.RunHereAsync("send", "week-1")).ExitCode);
    }

    private async Task ServeAsync()
    {
        using var serve = workspace.Start("serve");
        await serve.PrintedAsync("/sign-in?token=");
        serve.Terminate();
        Assert.Equal(0, (await serve.EndAsync(TimeSpan.FromMinutes(1))).ExitCode);
    }
}
