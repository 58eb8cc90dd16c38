using System.Xml.Linq;
using WeeklyDigest.Server.Commands;

namespace WeeklyDigest.Tests.Commands;

/// <summary>The program as it is published: alone in a folder, with an example installation beside it.</summary>
public sealed class PublishedProgramTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public PublishedProgramTests()
    {
        Directory.CreateDirectory(folder.File("empty"));
        Directory.CreateDirectory(folder.File("program/example/issues"));
        Directory.CreateDirectory(folder.File("program/example/templates"));
        File.Copy(Path.Combine(Workspace.RepositoryRoot, "appsettings.json"), folder.File("program/example/appsettings.json"));
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Publishing_writes_nothing_that_an_owner_changes_outside_of_the_example()
    {
        var project = XDocument.Load(Path.Combine(Workspace.RepositoryRoot, "src", "WeeklyDigest.Server", "WeeklyDigest.Server.csproj"));
        var copied = project.Descendants().Where(item => item.Attribute("CopyToPublishDirectory") is not null).ToList();
        Assert.Equal(4, copied.Count);
        Assert.All(copied, item => Assert.StartsWith("example/", (string?)item.Attribute("Link") ?? (string?)item.Attribute("LinkBase"), StringComparison.Ordinal));
        Assert.DoesNotContain(project.Descendants(), item => item.Attribute("CopyToOutputDirectory") is not null);
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("send week-1")]
    [InlineData("config")]
    public async Task A_command_outside_of_any_installation_is_refused_and_writes_nothing(string command)
    {
        var (code, error) = await RunAsync(command);
        Assert.Equal(1, code);
        Assert.Equal(
            $"{folder.File("empty")} holds neither appsettings.json nor issues/. Start the command in the folder of your newsletter. "
            + $"A new one begins as a copy: cp -r {folder.File("program/example")} FOLDER\n", error);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.File("empty")));
    }

    [Fact]
    public async Task The_demo_uses_the_example_where_there_is_no_installation()
        => Assert.Equal((1, $"There is no issue to publish in {folder.File("program/example/issues")}; write one, or remove 'draft: true' from it.\n"), await RunAsync("demo"));

    private async Task<(int Code, string Error)> RunAsync(string command)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var host = new CommandHost
        {
            Out = output, Error = errors, Environment = new Dictionary<string, string>(), Directory = folder.File("empty"), ProgramFolder = folder.File("program"),
            Stopping = TestContext.Current.CancellationToken,
        };
        return (await CommandLine.RunAsync(command.Split(' '), host), errors.ToString().ReplaceLineEndings("\n"));
    }
}
