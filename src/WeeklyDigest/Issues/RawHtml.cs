using System.Text;
using System.Text.RegularExpressions;
using Markdig.Helpers;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Issues;

/// <summary>
/// What becomes of HTML in an issue. Comments are dropped; <c>&lt;br&gt;</c> becomes a line break; <c>sub</c>, <c>sup</c> and <c>kbd</c>
/// without attributes stay; everything else is text, shown as it is written, with a warning. So no script, style, frame or event handler
/// reaches a message, and <c>List&lt;int&gt;</c> in a sentence reads as it was meant.
/// </summary>
internal static partial class RawHtml
{
    /// <summary>Rewrites a document. Afterwards its only HTML nodes are inlines of the three elements that stay.</summary>
    public static void Tame(MarkdownDocument document, FindingList findings)
    {
        foreach (var inline in document.Descendants<HtmlInline>().ToList()) TameInline(inline, findings);
        foreach (var left in document.Descendants<DelimiterInline>().ToList())
            left.ReplaceBy(Literal(left.ToLiteral(), left.Span), copyChildren: true);
        foreach (var container in document.Descendants<ContainerBlock>().Append(document).ToList()) TameChildren(container, findings);
    }

    private static void TameChildren(ContainerBlock container, FindingList findings)
    {
        if (!container.Any(child => child is HtmlBlock || IsEmpty(child))) return;
        var children = container.ToList();
        container.Clear();
        foreach (var child in children.Select(child => child is HtmlBlock html ? Tamed(html, findings) : child))
        {
            if (child is not null && !IsEmpty(child)) container.Add(child);
        }
    }

    private static ParagraphBlock? Tamed(HtmlBlock block, FindingList findings)
    {
        var lines = WithoutComments(block.Lines.ToString()).Split('\n');
        if (lines.All(line => LineBreak().Replace(line, "").Trim().Length == 0)) return null;
        Warn(findings, block.Span.Start, lines.First(line => line.Trim().Length > 0).Trim());
        return Paragraph(block, lines);
    }

    private static ParagraphBlock Paragraph(HtmlBlock block, string[] lines)
    {
        var content = new ContainerInline { Span = block.Span };
        foreach (var line in lines.Select(line => line.Trim()).Where(line => line.Length > 0))
        {
            if (content.FirstChild is not null) content.AppendChild(new LineBreakInline { Span = block.Span });
            content.AppendChild(Literal(line, block.Span));
        }
        return new ParagraphBlock { Inline = content, Span = block.Span, Line = block.Line, Column = block.Column };
    }

    private static void TameInline(HtmlInline inline, FindingList findings)
    {
        var tag = inline.Tag;
        if (WithoutComments(tag).Length == 0) inline.Remove();
        else if (LineBreak().Replace(tag, "").Length == 0) inline.ReplaceBy(new LineBreakInline { IsHard = true, Span = inline.Span });
        else if (Allowed().IsMatch(tag)) inline.Tag = tag.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        else
        {
            Warn(findings, inline.Span.Start, tag);
            inline.ReplaceBy(Literal(tag, inline.Span));
        }
    }

    // Not by a pattern: one that looks for the end of each comment takes a square of the time on a text full of beginnings.
    private static string WithoutComments(string html)
    {
        var rest = new StringBuilder();
        var at = 0;
        for (var open = html.IndexOf("<!--", StringComparison.Ordinal); open >= 0; open = html.IndexOf("<!--", at, StringComparison.Ordinal))
        {
            var close = html.IndexOf("-->", open + 4, StringComparison.Ordinal);
            if (close < 0) break;
            rest.Append(html, at, open - at);
            at = close + 3;
        }
        return at == 0 ? html : rest.Append(html, at, html.Length - at).ToString();
    }

    private static void Warn(FindingList findings, int offset, string tag)
        => findings.Warning("raw-html", offset, $"HTML is not sent as HTML: {Quoted.Text(tag)} is shown as text. Use Markdown, or `backticks` for code.");

    private static LiteralInline Literal(string text, SourceSpan span) => new() { Content = new StringSlice(text), Span = span };

    private static bool IsEmpty(Block block) => block is ParagraphBlock { Inline: { } content } && content.All(inline =>
        inline is LineBreakInline || (inline is LiteralInline literal && literal.Content.IsEmptyOrWhitespace()));

    [GeneratedRegex(@"<[bB][rR]\s*/?>", RegexOptions.CultureInvariant)]
    private static partial Regex LineBreak();

    [GeneratedRegex(@"^</?(?:sub|sup|kbd) *>\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Allowed();
}
