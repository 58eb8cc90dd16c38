using System.Text.Json;

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
}
