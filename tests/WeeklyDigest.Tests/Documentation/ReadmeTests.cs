using System.Text.Json;

namespace WeeklyDigest.Tests.Documentation;

/// <summary>What the README, and the page on running it, tell people to type works as it stands there.</summary>
public sealed class ReadmeTests
{
    private const string Program = "weeklydigest ";
    private readonly DocumentationPage readme = new("README.md");

    [Fact]
    public void Begins_with_the_demo_and_the_tests()
        => Assert.Equal(["dotnet run --project src/WeeklyDigest.Server -- demo", "./tests/run"], readme.Blocks("sh").Take(2));

    [Fact]
    public async Task Its_commands_run_one_after_the_other_on_the_issue_it_shows()
    {
        using var workspace = new Workspace().WithSubscribers(3);
        workspace.Write("issues/week-2.md", readme.Blocks("markdown").First() + "\n");
        var commands = readme.Codes.Where(code => code.StartsWith(Program, StringComparison.Ordinal) && code.Contains("week-2", StringComparison.Ordinal)).Distinct().ToList();
        Assert.True(commands.Count >= 6, string.Join('\n', commands));
        foreach (var command in commands)
        {
            var result = await workspace.RunAsync(command[Program.Length..].Split(' '));
            Assert.True(result.ExitCode == 0, $"{command}: {result}");
        }

        Assert.True(File.Exists(workspace.PathOf("out/issue.html")));
        Assert.Equal(3, (await workspace.JsonAsync("status", "week-2", "--json")).GetProperty("sent").GetInt32());
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/running.md")]
    public async Task Every_command_it_names_exists(string page)
    {
        using var workspace = new Workspace();
        var names = new DocumentationPage(page).Codes.Where(code => code.StartsWith(Program, StringComparison.Ordinal)).Select(code => code[Program.Length..].Split(' ')[0]).Distinct().ToList();
        Assert.NotEmpty(names);
        foreach (var name in names)
        {
            var help = await workspace.RunAsync(name, "--help");
            Assert.True(help.ExitCode == 0, $"{name}: {help}");
        }
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/running.md")]
    public void Every_setting_it_names_is_in_the_manual(string page)
    {
        var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
        using var settings = JsonDocument.Parse(File.ReadAllText(Path.Combine(Workspace.RepositoryRoot, "appsettings.json")), options);
        var named = new DocumentationPage(page).Codes.Where(code => code.Contains(':', StringComparison.Ordinal) && code.All(c => char.IsLetterOrDigit(c) || c == ':')).ToList();
        Assert.NotEmpty(named);
        Assert.All(named, code => Assert.True(Exists(settings.RootElement, code.Split(':')), code));
    }

    private static bool Exists(JsonElement section, string[] names)
        => names.Aggregate((JsonElement?)section, (at, name) => at is { ValueKind: JsonValueKind.Object } inside && inside.TryGetProperty(name, out var next) ? next : null) is not null;
}
