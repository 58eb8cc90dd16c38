using System.Text;
using Markdig.Extensions.Footnotes;
using Markdig.Extensions.TaskLists;
using Markdig.Syntax.Inlines;

namespace WeeklyDigest.Rendering;

/// <summary>Writes the inlines of Markdown as a person types them into a plain e-mail; links become numbers.</summary>
/// <param name="absolute">Makes an address absolute, or null when nobody should follow it.</param>
/// <param name="notes">Where the addresses go.</param>
internal sealed class PlainInlines(Func<string, string?> absolute, LinkNotes notes)
{
    /// <summary>The text of a container; a line break in it is one the author asked for.</summary>
    public string Text(ContainerInline? container)
    {
        var text = new StringBuilder();
        foreach (var inline in container ?? []) text.Append(Text(inline));
        return text.ToString();
    }

    private string Text(Inline inline) => inline switch
    {
        LiteralInline literal => literal.Content.ToString(),
        CodeInline code => $"`{code.Content}`",
        LineBreakInline line => line.IsHard ? "\n" : " ",
        HtmlEntityInline entity => entity.Transcoded.ToString(),
        HtmlInline { Tag: "<sub>" or "</sub>" or "<sup>" or "</sup>" or "<kbd>" or "</kbd>" } => "",
        HtmlInline html => html.Tag,
        AutolinkInline link => link.Url,
        TaskList task => task.Checked ? "[x]" : "[ ]",
        FootnoteLink footnote => footnote.IsBackLink ? "" : $" [note {footnote.Footnote.Order}]",
        LinkInline link => Link(link),
        EmphasisInline emphasis => Emphasis(emphasis),
        ContainerInline container => Text(container),
        _ => "",
    };

    private string Link(LinkInline link)
    {
        var label = Text((ContainerInline)link).Trim();
        if (link.IsImage) label = label.Length == 0 ? "[Picture]" : $"[Picture: {label}]";
        var url = absolute(link.GetDynamicUrl?.Invoke() ?? link.Url ?? "");
        if (url is null || url.StartsWith('#')) return label;
        if (label.Length == 0 || label == url || "mailto:" + label == url) return label.Length == 0 ? url : label;
        return $"{label} [{notes.Number(url)}]";
    }

    private string Emphasis(EmphasisInline emphasis)
    {
        var text = Text((ContainerInline)emphasis);
        return (emphasis.DelimiterChar, emphasis.DelimiterCount) switch
        {
            ('*' or '_', 2) => $"*{text}*",
            ('*' or '_', _) => $"_{text}_",
            ('~', 2) => $"~{text}~",
            _ => text,
        };
    }
}
