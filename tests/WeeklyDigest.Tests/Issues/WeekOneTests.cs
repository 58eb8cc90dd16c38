using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Tests.Issues;

/// <summary>The issue that comes with the program, and the same week as others wrote it, where that file is at hand.</summary>
public sealed class WeekOneTests
{
    private static readonly string[] Urls =
    [
        "https://arxiv.org/abs/2009.06489", "https://hardwarelottery.github.io/",
        "https://venturebeat.com/2020/06/01/ai-machine-learning-openai-gpt-3-size-isnt-everything/",
        "https://www.nature.com/articles/s41586-020-2649-2",
        "https://arxiv.org/abs/2009.04534", "https://github.com/NVIDIA/DeepLearningExamples/tree/master/PyTorch/LanguageModeling",
        "https://medium.com/microsoftazure/faster-and-smaller-quantized-nlp-with-hugging-face-and-onnx-runtime-ec5525473bb7",
        "https://arxiv.org/abs/2009.05617", "https://github.com/microsoft/methods2test",
        "https://arxiv.org/abs/2009.04433", "https://github.com/hanseungwook/not-so-biggan-decoder",
        "https://towardsdatascience.com/generating-high-resolution-images-using-autoregressive-models-3683f9af0db4",
        "https://arxiv.org/abs/2006.07733", "https://github.com/lucidrains/byol-pytorch",
        "https://arxiv.org/abs/2009.08257",
        "https://arxiv.org/abs/2007.15211", "https://github.com/victordibia/neuralqa",
    ];

    public static TheoryData<string> Files() => [Samples.WeekOne, .. Samples.Seeds().Where(seed => Path.GetFileName(seed) == "week-1.md")];

    [Theory]
    [MemberData(nameof(Files))]
    public void Has_an_intro_of_one_paragraph_and_eight_entries(string path)
    {
        var issue = Read(path);
        Assert.IsType<ParagraphBlock>(Assert.Single(issue.Intro).Block);
        Assert.Equal(8, issue.Entries.Count);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Has_fourteen_entry_links_and_seventeen_links_in_all(string path)
    {
        var issue = Read(path);
        var entryLinks = issue.Entries.SelectMany(entry => entry.Links).Select(link => link.Url).ToList();
        var inline = issue.Intro.Concat(issue.Entries.SelectMany(entry => entry.Blocks))
            .SelectMany(block => block.Inlines().OfType<LinkInline>()).Select(link => link.Url!).ToList();
        Assert.Equal(14, entryLinks.Count);
        Assert.Equal(3, inline.Count);
        Assert.Equal(Urls.Order(), entryLinks.Concat(inline).Order());
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Answers_both_questions_in_every_entry(string path)
    {
        Assert.All(Read(path).Entries, entry =>
        {
            Assert.Equal(["What is it?", "Why it matters?"], entry.Blocks.Select(block => block.Label));
            Assert.All(entry.Blocks, block => Assert.True(PlainText.Of((ParagraphBlock)block.Block).Length > 100));
        });
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Is_number_one_at_its_permalink(string path)
    {
        var issue = Read(path);
        Assert.Equal("/posts/week-1-the-hardware-lottery-and-numpy-and-more", issue.Permalink);
        Assert.Equal("week-1-the-hardware-lottery-and-numpy-and-more", issue.Slug.Value);
        Assert.Equal(1, issue.Number);
        Assert.Equal(3, issue.TitleParts.Count);
        Assert.Empty(issue.SlotTable);
        Assert.True(issue.IsReady(new DateOnly(2026, 1, 1)));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Labels_its_links_by_where_they_lead(string path)
    {
        var labels = Read(path).Entries.SelectMany(entry => entry.Links).Select(link => link.Label).ToList();
        Assert.Contains("arXiv 2009.06489", labels);
        Assert.Contains("GitHub NVIDIA/DeepLearningExamples", labels);
        Assert.Contains("hardwarelottery.github.io", labels);
        Assert.Contains("nature.com", labels);
        Assert.DoesNotContain(labels, label => label.Contains("://", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_our_own_shows_what_front_matter_can_say()
    {
        var issue = Read(Samples.WeekOne);
        Assert.NotNull(issue.Date);
        Assert.False(issue.Draft);
        Assert.InRange(issue.Preheader!.Length, 40, 140);
    }

    private static Issue Read(string path)
    {
        var (issue, findings) = IssueParser.Parse(File.ReadAllBytes(path), Path.GetFileNameWithoutExtension(path));
        Assert.Empty(findings);
        return issue!;
    }
}
