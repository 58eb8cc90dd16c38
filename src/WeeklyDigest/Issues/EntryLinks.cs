using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace WeeklyDigest.Issues;

/// <summary>Reads paragraphs that consist of links alone.</summary>
internal static class EntryLinks
{
    /// <summary>The links of such a paragraph, or null when the block is anything else.</summary>
    /// <remarks>Links may be parted by spaces, line breaks, commas, bars and dots; each has to lead to the web.</remarks>
    public static IReadOnlyList<EntryLink>? In(Block block)
    {
        if (block is not ParagraphBlock { Inline: { } content }) return null;
        var links = new List<EntryLink>();
        foreach (var inline in content)
        {
            if (LinkOf(inline) is { } link) links.Add(link);
            else if (inline is not LineBreakInline && !IsSeparator(inline)) return null;
        }
        return links.Count == 0 ? null : links;
    }

    private static EntryLink? LinkOf(Inline inline) => inline switch
    {
        LinkInline { IsImage: false, Url: { } url } link when IsWeb(url) && !link.Descendants<LinkInline>().Any() => new EntryLink(url, LabelOf(url, PlainText.Of(link))),
        AutolinkInline { IsEmail: false } auto when IsWeb(auto.Url) => new EntryLink(auto.Url, LinkLabel.For(auto.Url)),
        _ => null,
    };

    // The author's own words stand; an address as text is no words.
    private static string LabelOf(string url, string text)
    {
        var isAddress = text.Length == 0 || IsWeb(text) || text.StartsWith("www.", StringComparison.OrdinalIgnoreCase)
            || url.EndsWith(text, StringComparison.Ordinal) || url.TrimEnd('/').EndsWith(text, StringComparison.Ordinal);
        return isAddress ? LinkLabel.For(url) : text;
    }

    private static bool IsSeparator(Inline inline)
        => inline is LiteralInline literal && literal.Content.ToString().All(c => char.IsWhiteSpace(c) || c is '|' or ',' or '·' or '•');

    private static bool IsWeb(string url)
        => url.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
}
