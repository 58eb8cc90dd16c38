using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Tests.Settings;

public sealed class InstallationFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string program;

    public InstallationFolderTests()
    {
        // As a build leaves it: the settings beside the program, everything else at the top of the clone.
        folder.Write("clone/bin/appsettings.json", "{}");
        folder.Write("clone/appsettings.json", "{}");
        folder.Write("clone/templates/issue.cshtml", "");
        folder.Write("clone/issues/week-1.md", "");
        program = folder.File("clone/bin");
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
    public void Anywhere_else_the_programs_own_is_used()
    {
        Directory.CreateDirectory(folder.File("elsewhere"));
        Assert.Equal(new InstallationFolder(folder.File("clone"), folder.File("clone/appsettings.json"), folder.File("clone")), Find("elsewhere"));
    }

    private InstallationFolder Find(string current) => InstallationFolder.Find(folder.File(current), program);
}
