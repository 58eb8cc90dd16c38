namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The data folder is mounted read-only, as in a container: in a mount namespace of the command's own, which needs root or user namespaces.</summary>
public sealed class ReadOnlyFolderTests
{
    private const string OnReadOnly = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"";

    [Fact]
    public async Task Every_command_names_it_and_says_what_to_do()
    {
        using var workspace = new Workspace().WithWeek1().WithSubscribers(2);
        var data = workspace.PathOf("data");
        var mounted = $"the folder {data} is mounted read-only. Mount it so that it can be written";
        var ofDatabase = $"The database {workspace.DatabaseFile} cannot be used: {mounted}";
        Directory.CreateDirectory(data);
        ReadOnly(workspace, data);
        await RefusesAsync($"{ofDatabase}, or for a new installation set Paths:Data, or Storage:ConnectionString for the database alone, to another place.\n", "subscribers", "import", "subscribers/all.csv");

        Assert.Equal(0, (await workspace.RunHereAsync("subscribers", "add", "ada@example.com", "--list", "all")).ExitCode);
        await RefusesAsync(ofDatabase + ".\n", "send", "week-1");
        workspace.Set("Storage:ConnectionString", workspace.PathOf("elsewhere.db"));
        await RefusesAsync($"The built-in inbox cannot keep messages: {mounted}.\n", "send", "week-1");
        workspace.UseRelay(LoopbackPort.Free());
        await RefusesAsync($"This process cannot be announced in the data folder: {mounted}.\n", "send", "week-1");

        async Task RefusesAsync(string message, params string[] command)
        {
            var result = await workspace.RunAsync(command);
            Assert.Equal((1, message), (result.ExitCode, result.Error.ReplaceLineEndings("\n")));
        }
    }

    private static void ReadOnly(Workspace workspace, string folder)
        => workspace.Through = ["unshare", Environment.IsPrivilegedProcess ? "--mount" : "--map-root-user", "--mount", "sh", "-c", OnReadOnly, folder];
}
