using Markdig.Extensions.Footnotes;
using Markdig.Extensions.Tables;
using Markdig.Syntax;

namespace WeeklyDigest.Rendering;

/// <summary>Writes blocks of Markdown as lines of plain text.</summary>
/// <param name="inlines">Writes what is in them.</param>
internal sealed class PlainBlocks(PlainInlines inlines)
{
    /// <summary>Columns of the text part: what every mail program shows without wrapping it again.</summary>
    public const int Width = 72;

    /// <summary>A block, wrapped, without a line break at its end.</summary>
    public string Text(Block block) => string.Join('\n', Lines(block, Width));

    private IEnumerable<string> Lines(Block block, int width) => block switch
    {
        HeadingBlock heading => Heading(heading, width),
        CodeBlock code => Verbatim(code).Select(line => line.Length == 0 ? "" : "    " + line),
        HtmlBlock html => Verbatim(html).SelectMany(line => TextWrap.Lines(line, width)),
        ThematicBreakBlock => ["* * *"],
        LinkReferenceDefinitionGroup => [],
        ListBlock list => List(list, width),
        QuoteBlock quote => Children(quote, width - 2).Select(line => line.Length == 0 ? ">" : "> " + line),
        Table table => new PlainTable(inlines).Lines(table, width),
        FootnoteGroup notes => notes.OfType<Footnote>().SelectMany(note => Footnote(note, width)),
        LeafBlock leaf => TextWrap.Lines(inlines.Text(leaf.Inline), width),
        ContainerBlock container => Children(container, width),
        _ => [],
    };

    private IEnumerable<string> Heading(HeadingBlock heading, int width)
    {
        var lines = TextWrap.Lines(inlines.Text(heading.Inline), width).ToList();
        // Quotes and lists may be nested until nothing is left of the width.
        return [.. lines, new string('~', Math.Min(Math.Max(width, 1), lines.Max(TextWrap.Columns)))];
    }

    private IEnumerable<string> Children(ContainerBlock container, int width, bool loose = true)
    {
        var first = true;
        foreach (var lines in container.Select(child => Lines(child, width).ToList()).Where(lines => lines.Count > 0))
        {
            if (!first && loose) yield return "";
            first = false;
            foreach (var line in lines) yield return line;
        }
    }

    private IEnumerable<string> List(ListBlock list, int width)
    {
        var number = int.TryParse(list.OrderedStart, out var start) ? start : 1;
        var first = true;
        foreach (var item in list.OfType<ListItemBlock>())
        {
            if (!first && list.IsLoose) yield return "";
            first = false;
            var mark = list.IsOrdered ? $"{number++}. " : "- ";
            foreach (var line in Hanging(mark, Children(item, width - mark.Length, list.IsLoose))) yield return line;
        }
    }

    private IEnumerable<string> Footnote(Footnote note, int width)
    {
        var mark = $"Note {note.Order}: ";
        return Hanging(mark, Children(note, width - mark.Length));
    }

    private static IEnumerable<string> Hanging(string mark, IEnumerable<string> lines)
    {
        var before = mark;
        foreach (var line in lines.DefaultIfEmpty(""))
        {
            yield return (before + line).TrimEnd();
            before = new string(' ', mark.Length);
        }
    }

    private static IEnumerable<string> Verbatim(LeafBlock block)
        => (block.Lines.Lines ?? []).Take(block.Lines.Count).Select(line => line.Slice.ToString().TrimEnd());
}
