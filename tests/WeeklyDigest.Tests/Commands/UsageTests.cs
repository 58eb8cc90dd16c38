namespace WeeklyDigest.Tests.Commands;

public sealed class UsageTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Theory]
    [InlineData("sned", "Unrecognized command or argument 'sned'. Did you mean send?\nSee: weeklydigest --help\n")]
    [InlineData("check", "Required argument 'ISSUE' missing for command: 'check'.\nSee: weeklydigest check --help\n")]
    [InlineData("render week-1", "Option '--out' is required.\nSee: weeklydigest render --help\n")]
    [InlineData("status --jsno", "Unrecognized command or argument '--jsno'. Did you mean --json?\nSee: weeklydigest status --help\n")]
    [InlineData("deliveries x --json --csv", "--json and --csv exclude each other.\nSee: weeklydigest deliveries --help\n")]
    [InlineData("deliveries x --for-spreadsheet", "--for-spreadsheet goes with --csv.\nSee: weeklydigest deliveries --help\n")]
    [InlineData("subscribers imprt", "Unrecognized command or argument 'imprt'. Did you mean import?\nSee: weeklydigest subscribers --help\n")]
    [InlineData("move --to oracle", "Argument 'oracle' not recognized. Must be one of:\n\t'postgres'\nOption '--connection' is required.\nSee: weeklydigest move --help\n")]
    [InlineData("subscribers", "Required command was not provided.\nSee: weeklydigest subscribers --help\n")]
    public async Task Wrong_usage_is_explained_and_exits_with_2(string line, string expected)
    {
        var result = await workspace.RunHereAsync(line.Split(' '));
        Assert.Equal((2, "", expected), (result.ExitCode, result.Out, result.Error.ReplaceLineEndings("\n")));
    }

    [Fact]
    public async Task An_unknown_state_is_wrong_usage()
    {
        var result = await workspace.RunHereAsync("deliveries", "x", "--state", "lost");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("'uncertain'", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_names_every_command()
    {
        var result = await workspace.RunHereAsync("--help");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.All(
            ["serve", "demo", "check", "render", "preview", "send", "status", "deliveries", "pause", "resume", "cancel", "resolve", "retry", "subscribers", "move", "config"],
            name => Assert.Contains($"\n  {name} ", result.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wrong_settings_stop_every_command_with_all_problems()
    {
        workspace.Set("Newsletter:From", "nobody").Set("Jobs:Workers", "many");
        var result = await workspace.RunHereAsync("status");
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(
            """
            The settings cannot be used:
              Newsletter:From: is not an e-mail address; write one such as Weekly Digest <digest@example.com>.
              Jobs:Workers: 'many' is not a whole number from 0 to 100; the default is 4.

            """,
            result.Error.ReplaceLineEndings("\n"));
        Assert.False(Directory.Exists(workspace.PathOf("data")));
    }
}
