using System.Text.RegularExpressions;
using Markdig;
using Markdig.Syntax;

namespace WeeklyDigest.Tests.Issues;

/// <summary>Executes docs/issue-format.md: every example has to come out as the page says.</summary>
public sealed partial class IssueFormatTests
{
    private const string Preface = "---\ntitle: Example\n---\n";
    private static readonly string Page = File.ReadAllText(Path.Combine(Workspace.RepositoryRoot, "docs", "issue-format.md"));
    private static readonly List<Example> All = Read();

    /// <summary>The line of each example in the page.</summary>
    public static TheoryData<int> Lines() => [.. All.Select(example => example.Line)];

    [Theory]
    [MemberData(nameof(Lines))]
    public void Comes_out_as_the_page_says(int line)
    {
        var example = All.Single(candidate => candidate.Line == line);
        var preface = example.IsFile ? "" : Preface;
        var (issue, findings) = Samples.Parse(preface + example.Source);
        var offset = preface.Count(c => c == '\n');
        var found = findings.Select(finding => $"{finding.Line - offset}:{finding.Column} {finding.Severity.ToString().ToLowerInvariant()} {finding.Code}");
        Assert.Equal(example.Findings ?? "", string.Join('\n', found));
        if (example.Outline is not null) Assert.Equal(example.Outline, IssueDump.Of(issue!, example.IsFile));
        else Assert.True(example.Findings is not null, "An example needs an outline or findings.");
    }

    [Fact]
    public void Has_examples_and_each_expectation_belongs_to_one()
    {
        Assert.True(All.Count >= 20, $"Only {All.Count} examples were found in docs/issue-format.md.");
        Assert.Equal(Expectation().Count(Page), All.Sum(example => (example.Outline is null ? 0 : 1) + (example.Findings is null ? 0 : 1)));
    }

    [Fact]
    public void Names_every_finding_that_the_parser_has()
    {
        var sources = Directory.GetFiles(Path.Combine(Workspace.RepositoryRoot, "src", "WeeklyDigest", "Issues"), "*.cs").Select(File.ReadAllText);
        var codes = sources.SelectMany(source => FindingCode().Matches(source)).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.True(codes.Count > 30);
        Assert.DoesNotContain(codes, code => !Page.Contains($"`{code}`", StringComparison.Ordinal));
    }

    private static List<Example> Read()
    {
        var examples = new List<Example>();
        foreach (var block in Markdown.Parse(Page).OfType<FencedCodeBlock>())
        {
            var text = block.Lines.ToString();
            if (block.Info == "markdown") examples.Add(new Example(block.Line + 1, block.Arguments == "file", text + "\n", null, null));
            else if (block.Info == "outline") examples[^1] = examples[^1] with { Outline = text };
            else if (block.Info == "findings") examples[^1] = examples[^1] with { Findings = text };
        }
        return examples;
    }

    [GeneratedRegex("^````(?:outline|findings)\r?$", RegexOptions.Multiline)]
    private static partial Regex Expectation();

    [GeneratedRegex("""(?:Error|Warning|Info|CheckLength)(?:\(\s*|, )"([a-z0-9]+(?:-[a-z0-9]+)+|binary)",""")]
    private static partial Regex FindingCode();

    private sealed record Example(int Line, bool IsFile, string Source, string? Outline, string? Findings);
}
