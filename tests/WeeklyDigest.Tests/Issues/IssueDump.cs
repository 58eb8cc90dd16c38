using System.Text;
using Markdig.Extensions.Footnotes;
using Markdig.Extensions.Tables;
using Markdig.Extensions.TaskLists;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using WeeklyDigest.Issues;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Tests.Issues;

/// <summary>Writes a parsed issue as an outline, for the examples of docs/issue-format.md.</summary>
internal sealed class IssueDump(Issue issue)
{
    private readonly StringBuilder _text = new();

    public static string Of(Issue issue, bool withFrontMatter)
    {
        var dump = new IssueDump(issue);
        if (withFrontMatter) dump.FrontMatter();
        dump.Body();
        return dump._text.ToString().TrimEnd();
    }

    private void FrontMatter()
    {
        Value("title", issue.Title);
        if (issue.TitleParts.Count > 1 || issue.TitleParts[0] != issue.Title) Value("parts", string.Join(" / ", issue.TitleParts));
        Value("subject", issue.Subject);
        Value("permalink", issue.Permalink);
        Value("slug", issue.Slug.Value);
        Value("number", issue.Number?.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Value("preheader", issue.Preheader);
        Value("date", issue.Date?.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        if (issue.Draft) _text.Append("draft\n");
        if (issue.Lists.Count > 0) Value("lists", string.Join(", ", issue.Lists));
        Value("author", issue.Author);
        Value("language", issue.Language);
        Value("cover", issue.Cover);
    }

    private void Body()
    {
        if (issue.Intro.Count > 0) _text.Append("intro\n");
        Blocks(issue.Intro);
        foreach (var entry in issue.Entries)
        {
            Line(0, $"entry: {entry.PlainTitle} #{entry.Anchor}");
            foreach (var link in entry.Links) Line(1, $"button: {link.Label} -> {link.Url}");
            Blocks(entry.Blocks);
        }
    }

    private void Blocks(IEnumerable<IssueBlock> blocks)
    {
        foreach (var block in blocks) Block(1, block.Block, block.Label is null ? "" : $"[{block.Label}] ");
    }

    private void Block(int depth, Block block, string label = "")
    {
        Line(depth, label + block switch
        {
            HeadingBlock heading => $"heading {heading.Level}: {Inlines(heading)}",
            ParagraphBlock paragraph => $"paragraph: {Inlines(paragraph)}",
            CodeBlock code => $"code {(code as FencedCodeBlock)?.Info}: {code.Lines}",
            ListBlock list => list.IsOrdered ? $"list {list.OrderedStart}" : "list",
            ListItemBlock => "item",
            QuoteBlock => "quote",
            Table => "table",
            TableRow => "row",
            ThematicBreakBlock => "rule",
            FootnoteGroup => "footnotes",
            Footnote footnote => $"footnote {footnote.Order}",
            _ => block.GetType().Name,
        });
        foreach (var child in (block as ContainerBlock) ?? Enumerable.Empty<Block>())
        {
            if (child is not TableCell cell) Block(depth + 1, child);
            else foreach (var content in cell) Block(depth + 1, content);
        }
    }

    private static string Inlines(LeafBlock block) => block.Inline is null ? "" : Inlines(block.Inline).TrimEnd();

    private static string Inlines(IEnumerable<Inline> inlines) => string.Concat(inlines.Select(inline => inline switch
    {
        EmphasisInline emphasis => Wrapped(new string(emphasis.DelimiterChar, emphasis.DelimiterCount), Inlines(emphasis)),
        LinkInline link => $"{(link.IsImage ? "!" : "")}[{Inlines(link)}]({link.Url})",
        AutolinkInline auto => $"[{auto.Url}]({(auto.IsEmail ? "mailto:" : "")}{auto.Url})",
        CodeInline code => $"`{code.Content}`",
        LineBreakInline lineBreak => lineBreak.IsHard ? " / " : " ",
        HtmlInline html => html.Tag,
        HtmlEntityInline entity => entity.Transcoded.ToString(),
        FootnoteLink { IsBackLink: false } note => $"[^{note.Footnote.Order}]",
        FootnoteLink => "",
        TaskList task => task.Checked ? "☑" : "☐",
        LiteralInline literal => literal.Content.ToString(),
        ContainerInline container => Inlines(container),
        _ => inline.GetType().Name,
    }));

    private static string Wrapped(string marks, string text) => marks + text + marks;

    private void Value(string key, string? value)
    {
        if (value is not null) Line(0, $"{key}: {value}");
    }

    private void Line(int depth, string line) => _text.Append(' ', depth * 2).Append(WithSlots(line)).Append('\n');

    private string WithSlots(string line)
    {
        var text = new StringBuilder();
        var end = 0;
        foreach (var (offset, length, index) in SlotTokens.Find(line))
        {
            text.Append(line, end, offset - end).Append(Written(issue.SlotTable[index]));
            end = offset + length;
        }
        return text.Append(line, end, line.Length - end).ToString();
    }

    private static string Written(MergePart part)
    {
        if (part.Slot is not { } slot) return part.Text!;
        var name = slot.Field switch
        {
            MergeField.Attribute => $"attributes.{slot.Attribute}",
            MergeField.UnsubscribeUrl => "unsubscribe_url",
            MergeField.Email => "email",
            _ => "name",
        };
        return slot.Fallback.Length == 0 ? $"{{{{ {name} | }}}}" : $"{{{{ {name} | {slot.Fallback} }}}}";
    }
}
