using AngleSharp.Html.Parser;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Renderers.Html.Inlines;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Rendering;

/// <summary>Writes Markdown as the HTML of an e-mail: cleaned, addresses absolute, nothing a mail program would choke on.</summary>
/// <param name="page">Where relative addresses start from.</param>
internal sealed class MarkdownHtml(Uri page)
{
    
    private readonly HtmlParser parser = new();
    private readonly MarkupCleaner cleaner = new(page);

    /// <summary>The HTML of a block.</summary>
    public Markup Block(Block block) => Cleaned(renderer => renderer.Render(block));

    /// <summary>The HTML of a heading's text, without the heading.</summary>
    public Markup Inlines(HeadingBlock heading) => Cleaned(renderer => renderer.WriteLeafInline(heading));

    private Markup Cleaned(Action<HtmlRenderer> write)
    {
        using var html = new StringWriter();
        var renderer = new HtmlRenderer(html) { UseNonAsciiNoEscape = true };
        IssueMarkdown.Pipeline.Setup(renderer);
        renderer.ObjectRenderers.ReplaceOrAdd<HtmlBlockRenderer>(new HtmlBlockAsText());
        renderer.ObjectRenderers.ReplaceOrAdd<HtmlInlineRenderer>(new HtmlInlineAsText());
        write(renderer);
        using var document = parser.ParseDocument("");
        document.Body!.InnerHtml = html.ToString();
        cleaner.Clean(document.Body);
        return new Markup(document.Body.InnerHtml.Trim());
    }

    /// <summary>HTML in an issue is shown, not obeyed.</summary>
    private sealed class HtmlBlockAsText : HtmlObjectRenderer<HtmlBlock>
    {
        protected override void Write(HtmlRenderer renderer, HtmlBlock block)
            => renderer.Write("<p>").WriteLeafRawLines(block, writeEndOfLines: false, escape: true).Write("</p>");
    }

    private sealed class HtmlInlineAsText : HtmlObjectRenderer<HtmlInline>
    {
        // The parser lets these three through, without attributes.
        protected override void Write(HtmlRenderer renderer, HtmlInline inline)
        {
            if (inline.Tag is "<sub>" or "</sub>" or "<sup>" or "</sup>" or "<kbd>" or "</kbd>") renderer.Write(inline.Tag);
            else renderer.WriteEscape(inline.Tag);
        }
    }
}
