using System.Text;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace WeeklyDigest.Issues;

/// <summary>Markdown without its marks: for anchors, preheaders and labels. Slot tokens stay.</summary>
public static class PlainText
{
    /// <summary>The text of a block's inlines; empty when it has none.</summary>
    public static string Of(LeafBlock block) => block.Inline is null ? "" : Of(block.Inline);

    /// <summary>The text of an inline and all in it; line breaks and control characters (an entity can be one) as spaces; trimmed.</summary>
    public static string Of(Inline inline)
    {
        var text = new StringBuilder();
        Append(text, inline);
        if (inline is ContainerInline container)
        {
            foreach (var descendant in container.Descendants()) Append(text, descendant);
        }
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i]) || text[i] is '\u2028' or '\u2029') text[i] = ' ';
        }
        return text.ToString().Trim();
    }

    private static void Append(StringBuilder text, MarkdownObject inline) => text.Append(inline switch
    {
        LiteralInline literal => literal.Content.ToString(),
        CodeInline code => code.Content,
        HtmlEntityInline entity => entity.Transcoded.ToString(),
        AutolinkInline link => link.Url,
        LineBreakInline => " ",
        DelimiterInline delimiter => delimiter.ToLiteral(),
        _ => "",
    });
}
