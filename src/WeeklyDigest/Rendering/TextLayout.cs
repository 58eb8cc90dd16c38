namespace WeeklyDigest.Rendering;

/// <summary>What issue.text.cshtml lays text out with. Lines are at most 72 columns; an address is never broken.</summary>
public static class TextLayout
{
    /// <summary>The text in lines.</summary>
    /// <param name="text">The text; its own line breaks are kept.</param>
    /// <param name="mark">What stands before the first line; the others are indented by as much.</param>
    public static string Wrap(string text, string mark = "")
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(mark);
        var indent = new string(' ', TextWrap.Columns(mark));
        return mark + string.Join("\n" + indent, TextWrap.Lines(text, PlainBlocks.Width - indent.Length));
    }

    /// <summary>The text in lines, with a line of marks as long as the longest under it: a heading.</summary>
    public static string Underlined(string text, char mark)
    {
        var lines = Wrap(text);
        return lines + "\n" + new string(mark, Math.Min(PlainBlocks.Width, lines.Split('\n').Max(TextWrap.Columns)));
    }

    /// <summary>A labelled link: on one line where it fits.</summary>
    public static string Link(LinkView link)
    {
        ArgumentNullException.ThrowIfNull(link);
        return TextWrap.Columns(link.Label) + TextWrap.Columns(link.Url) + 2 <= PlainBlocks.Width
            ? $"{link.Label}: {link.Url}"
            : $"{link.Label}:\n{link.Url}";
    }
}
