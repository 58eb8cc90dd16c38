using System.Text;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Tests.Issues;

/// <summary>Issue files for tests, and where the repository keeps its own.</summary>
internal static class Samples
{
    public static string WeekOne => Path.Combine(Workspace.RepositoryRoot, "issues", "week-1.md");

    /// <summary>Issues written by others, where this machine has some: WEEKLYDIGEST_SEEDS, else ../shared/seeds beside the repository.</summary>
    public static IEnumerable<string> Seeds()
    {
        var folder = Environment.GetEnvironmentVariable("WEEKLYDIGEST_SEEDS") ?? Path.Combine(Workspace.RepositoryRoot, "..", "shared", "seeds");
        return Directory.Exists(folder) ? Directory.GetFiles(folder, "*.md").Order() : [];
    }

    public static (Issue? Issue, IReadOnlyList<Finding> Findings) Parse(string text, string fileName = "week-7")
        => IssueParser.Parse(Encoding.UTF8.GetBytes(text), fileName);

    /// <summary>Parses Markdown below a title; the first line of <paramref name="markdown"/> is line 4.</summary>
    public static (Issue? Issue, IReadOnlyList<Finding> Findings) ParseBody(string markdown) => Parse("---\ntitle: Seven\n---\n" + markdown);

    public static Issue Valid(string text)
    {
        var (issue, findings) = Parse(text);
        Assert.True(issue is not null, string.Join("\n", findings));
        return issue;
    }

    public static Issue ValidBody(string markdown) => Valid("---\ntitle: Seven\n---\n" + markdown);
}
