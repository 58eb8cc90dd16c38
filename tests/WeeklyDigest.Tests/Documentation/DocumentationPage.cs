using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace WeeklyDigest.Tests.Documentation;

/// <summary>A documentation page, read as Markdown.</summary>
internal sealed class DocumentationPage(string name)
{
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().UsePipeTables().Build();
    private readonly MarkdownDocument document = Markdig.Markdown.Parse(File.ReadAllText(Path.Combine(Workspace.RepositoryRoot, name)), Pipeline);

    /// <summary>All pages of the clone that people read, from its top.</summary>
    public static IEnumerable<string> All
        => from path in Directory.EnumerateFiles(Workspace.RepositoryRoot, "*.md", SearchOption.AllDirectories)
           let name = Path.GetRelativePath(Workspace.RepositoryRoot, path).Replace('\\', '/')
           where !name.Split('/').Any(part => part is "bin" or "obj" or "data" or "issues" || part.StartsWith('.')) && !name.StartsWith("tests/", StringComparison.Ordinal)
           select name;

    /// <summary>Fenced blocks in a language.</summary>
    public IEnumerable<string> Blocks(string language)
        => document.Descendants<FencedCodeBlock>().Where(block => block.Info == language).Select(block => block.Lines.ToString().TrimEnd());

    /// <summary>What stands in backquotes.</summary>
    public IEnumerable<string> Codes => document.Descendants<CodeInline>().Select(code => code.Content);

    /// <summary>Where links and images lead.</summary>
    public IEnumerable<string> Links => document.Descendants<LinkInline>().Select(link => link.Url ?? "");
}
