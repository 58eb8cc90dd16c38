using System.Runtime.CompilerServices;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Tests.Rendering;

public sealed class GoldenTests
{
    [Fact]
    public async Task Week_1_in_HTML() => AssertGolden("week-1.golden.html", await Rendered.HtmlAsync(Rendered.WeekOne()));

    [Fact]
    public async Task Week_1_in_text() => AssertGolden("week-1.golden.txt", await Rendered.TextAsync(Rendered.WeekOne()));

    [Fact]
    public async Task Week_1_as_a_web_page() => AssertGolden("week-1.web.golden.html", await Rendered.WebAsync(Rendered.WeekOne()));

    [Fact]
    public async Task Every_kind_of_Markdown_in_HTML() => AssertGolden("everything.golden.html", await Rendered.HtmlAsync(Sample("everything")));

    [Theory]
    [InlineData("everything")]
    [InlineData("chinese")]
    [InlineData("hebrew")]
    public async Task Every_kind_of_Markdown_in_text(string name) => AssertGolden(name + ".golden.txt", await Rendered.TextAsync(Sample(name)));

    internal static Issue Sample(string name) => Rendered.Read(Path.Combine(Workspace.RepositoryRoot, "tests", "WeeklyDigest.Tests", "Rendering", "Samples", name + ".md"));

    /// <summary>A golden that is missing fails; WEEKLYDIGEST_WRITE_GOLDENS=1 writes it anew, to be looked at and committed.</summary>
    private static void AssertGolden(string name, string actual, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "Goldens", name);
        if (Environment.GetEnvironmentVariable("WEEKLYDIGEST_WRITE_GOLDENS") == "1") File.WriteAllText(path, actual);
        Assert.True(File.Exists(path), $"The golden {path} is missing; write it with WEEKLYDIGEST_WRITE_GOLDENS=1 and look at it.");
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
