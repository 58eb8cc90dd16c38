using Markdig.Syntax;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Issues;

/// <summary>Makes the line beside the subject from the intro when the front matter has none.</summary>
internal static class Preheader
{
    private const int MaxLength = 140;

    /// <summary>The beginning of the intro's first paragraph, cut at a word; null when there is none.</summary>
    public static string? From(IEnumerable<IssueBlock> intro)
    {
        var text = intro.Select(block => block.Block).OfType<ParagraphBlock>().Select(PlainText.Of).FirstOrDefault(found => found.Length > 0);
        return text is null || text.Length <= MaxLength ? text : Cut(text);
    }

    private static string? Cut(string text)
    {
        var space = text.LastIndexOf(' ', MaxLength);
        if (space > 0) return text[..space].TrimEnd(' ', ',', ';', ':', '.') + "…";
        var end = char.IsHighSurrogate(text[MaxLength - 1]) ? MaxLength - 1 : MaxLength;
        var inToken = SlotTokens.Find(text).FirstOrDefault(token => token.Offset < end && token.Offset + token.Length > end);
        return inToken.Length > 0 ? text[..inToken.Offset] + "…" : text[..end] + "…";
    }
}
