using System.Text.Json;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Commands;

public sealed class ConfigCommandTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Shows_what_is_in_force_in_the_form_of_the_settings_file_and_masks_secrets()
    {
        workspace.UseRelay(2525).Set("Smtp:Relays:0:Username", "ada").Set("Smtp:Relays:0:Password", "hunter2");
        var result = await workspace.RunHereAsync("config");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.DoesNotContain("hunter2", result.Out, StringComparison.Ordinal);
        Assert.Contains("\"Password\": \"********\", // environment", result.Out, StringComparison.Ordinal);
        Assert.Contains("\"TrustedCertificates\": \"\" // default", result.Out, StringComparison.Ordinal);
        Assert.Contains("\"Name\": \"Weekly Digest\",\n", result.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        var shown = JsonDocument.Parse(result.Out, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip }).RootElement;
        Assert.Equal(2525, shown.GetProperty("Smtp").GetProperty("Relays")[0].GetProperty("Port").GetInt32());
    }

    [Fact]
    public async Task Prints_one_JSON_document_when_asked()
    {
        var result = await workspace.RunHereAsync("config", "--json");
        var shown = JsonDocument.Parse(result.Out).RootElement;
        Assert.Equal("00:05:00", shown.GetProperty("Delivery").GetProperty("FirstRetryAfter").GetString());
        Assert.Equal(workspace.DatabaseFile, shown.GetProperty("Storage").GetProperty("ConnectionString").GetString());
    }

    [Fact]
    public async Task Says_that_the_page_was_told_another_schedule()
    {
        await workspace.RunHereAsync("subscribers", "add", "ada@example.org", "--list", "all");
        Assert.DoesNotContain("The page Issues was told", await AfterAsync(null), StringComparison.Ordinal);
        var told = new Schedule("0 9 * * 5", "Europe/Berlin", true, TimeProvider.System.GetUtcNow());
        Assert.Contains(
            "\n// Newsletter:Schedule below is not in force. The page Issues was told 0 9 * * 5 (Europe/Berlin); that holds until a server starts with another Newsletter:Schedule\n{\n",
            await AfterAsync(told), StringComparison.Ordinal);
        Assert.Contains("was told 0 9 * * 5 (Europe/Berlin), switched off; that", await AfterAsync(told with { IsOn = false }), StringComparison.Ordinal);
        await File.WriteAllTextAsync(workspace.DatabaseFile, new string('x', 5000), TestContext.Current.CancellationToken);
        Assert.Contains("cannot be said: the database does not open. `weeklydigest doctor` says why\n{\n", await AfterAsync(null, open: false), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Does_not_show_the_password_as_it_is_typed_though_the_hash_goes_into_a_file()
    {
        if (OperatingSystem.IsWindows()) return;
        // A terminal, and a file of what it shows.
        workspace.Through = ["sh", "-c", "exec script -qfec \"$* > hash.txt\" shown.txt", "sh"];
        using var program = workspace.Start("config", "hash-password");
        await Eventually.HoldsAsync(() => Shown().Contains("Password:", StringComparison.Ordinal), "it asks");
        foreach (var letter in "correct horse battery\n") await program.TypeAsync(letter.ToString());
        Assert.Equal(0, (await program.EndAsync(TimeSpan.FromMinutes(1))).ExitCode);
        Assert.Matches(@"Password:\s*\*{21}\s", Shown());
        Assert.DoesNotContain("horse", Shown(), StringComparison.Ordinal);
        workspace.Through = [];
        workspace.Set("Editors:Users:0:Name", "ada").Set("Editors:Users:0:PasswordHash", File.ReadAllText(workspace.PathOf("hash.txt")).Trim());
        Assert.Equal(0, (await workspace.RunHereAsync("config")).ExitCode);

        string Shown() => File.Exists(workspace.PathOf("shown.txt")) ? File.ReadAllText(workspace.PathOf("shown.txt")) : "";
    }

    [Fact]
    public async Task Makes_the_hash_of_a_password_for_the_settings()
    {
        workspace.Input = "correct horse battery staple\n";
        var result = await workspace.RunHereAsync("config", "hash-password");
        Assert.Equal(0, result.ExitCode);
        workspace.Set("Editors:Users:0:Name", "ada").Set("Editors:Users:0:PasswordHash", result.Out.Trim());
        Assert.Equal(0, (await workspace.RunHereAsync("config")).ExitCode);
    }

    [Theory]
    [InlineData("", "No password was given; type one, or pipe it in.")]
    [InlineData("short", "The password is shorter than 12 characters; choose a longer one.")]
    public async Task Refuses_weak_passwords(string password, string expected)
    {
        workspace.Input = password;
        var result = await workspace.RunHereAsync("config", "hash-password");
        Assert.Equal((1, "", expected), (result.ExitCode, result.Out, result.Error.TrimEnd()));
    }

    private async Task<string> AfterAsync(Schedule? told, bool open = true)
    {
        if (open)
        {
            using var database = Database.Open(new StorageOptions { ConnectionString = workspace.DatabaseFile }, TimeProvider.System);
            await database.Schedules.AdoptAsync("0 9 * * 1", "UTC", TimeProvider.System.GetUtcNow(), TestContext.Current.CancellationToken);
            if (told is not null) await database.Schedules.ChangeAsync(told, TestContext.Current.CancellationToken);
        }
        var result = await workspace.RunHereAsync("config");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        return result.Out.ReplaceLineEndings("\n");
    }
}
