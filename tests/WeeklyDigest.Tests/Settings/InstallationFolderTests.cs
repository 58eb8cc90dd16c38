using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Tests.Settings;

public sealed class InstallationFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private string program;

    public InstallationFolderTests()
    {
        // As a build leaves it: the program deep inside the clone, everything else at the top.
        folder.Write("clone/bin/weeklydigest.dll", "");
        WriteInstallation("clone");
        program = folder.File("clone/bin/");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_current_folder_is_one_when_it_holds_settings()
    {
        var file = folder.Write("mine/appsettings.json", "{}");
        Assert.Equal(new InstallationFolder(folder.File("mine"), file, folder.File("clone")), Find("mine"));
    }

    [Fact]
    public void The_current_folder_is_one_when_it_holds_issues_and_then_uses_the_shipped_settings()
    {
        folder.Write("mine/issues/a.md", "");
        Assert.Equal(new InstallationFolder(folder.File("mine"), folder.File("clone/appsettings.json"), folder.File("clone")), Find("mine"));
    }

    [Fact]
    public void A_folder_inside_an_installation_belongs_to_it()
    {
        folder.Write("mine/appsettings.json", "{}");
        Directory.CreateDirectory(folder.File("mine/issues/pictures"));
        Assert.Equal(folder.File("mine"), Find("mine/issues/pictures").Root);
    }

    [Fact]
    public void Anywhere_else_the_clone_that_the_program_was_built_in_is_used()
    {
        Directory.CreateDirectory(folder.File("elsewhere"));
        Assert.Equal(new InstallationFolder(folder.File("clone"), folder.File("clone/appsettings.json"), folder.File("clone")), Find("elsewhere"));
    }

    [Fact]
    public void A_published_program_takes_what_an_installation_lacks_from_its_example()
    {
        Publish("installed");
        folder.Write("mine/issues/a.md", "");
        var example = folder.File("installed/example");
        Assert.Equal(new InstallationFolder(folder.File("mine"), Path.Combine(example, "appsettings.json"), example), Find("mine"));
    }

    [Fact]
    public void Only_what_changes_nothing_uses_the_example_of_a_published_program()
    {
        Publish("installed");
        Directory.CreateDirectory(folder.File("empty"));
        var example = folder.File("installed/example");
        Assert.Equal(
            $"{folder.File("empty")} holds neither appsettings.json nor issues/. Start the command in the folder of your newsletter. A new one begins as a copy: cp -r {example} FOLDER",
            Assert.Throws<RefusedException>(() => Find("empty")).Message);
        Assert.Equal(
            $"{example} belongs to the program, and an upgrade replaces it. Start the command in the folder of your newsletter. A new one begins as a copy: cp -r {example} FOLDER",
            Assert.Throws<RefusedException>(() => Find("installed/example/issues")).Message);
        Assert.Equal(
            new InstallationFolder(example, Path.Combine(example, "appsettings.json"), example), InstallationFolder.FindOrExample(folder.File("empty"), program));
    }

    [Fact]
    public void An_installation_around_the_program_is_found_from_anywhere()
    {
        Publish("mine/program");
        WriteInstallation("mine");
        Directory.CreateDirectory(folder.File("empty"));
        Assert.Equal(folder.File("mine"), Find("empty").Root);
        Assert.Equal(folder.File("mine"), InstallationFolder.FindOrExample(folder.File("empty"), program).Root);
    }

    private void Publish(string name)
    {
        WriteInstallation(name + "/example");
        program = folder.File(name + "/");
    }

    private void WriteInstallation(string name)
    {
        folder.Write(name + "/appsettings.json", "{}");
        folder.Write(name + "/templates/issue.cshtml", "");
        folder.Write(name + "/issues/week-1.md", "");
    }

    private InstallationFolder Find(string current) => InstallationFolder.Find(folder.File(current), program);
}
