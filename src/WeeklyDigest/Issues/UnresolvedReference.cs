using System.Text;
using System.Text.RegularExpressions;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace WeeklyDigest.Issues;

/// <summary>Finds what looks like a reference to a link or a footnote and was none to Markdown.</summary>
internal static partial class UnresolvedReference
{
    /// <summary>The references of a block that stayed literal text, with their offsets.</summary>
    public static IEnumerable<(string Text, int Offset)> In(LeafBlock block)
    {
        var literals = Literals(block);
        foreach (Match match in Pattern().Matches(literals.Text)) yield return (match.Value, literals.Offsets[match.Index]);
    }

    // The literal texts of a block one after another; whatever is not literal (code, links, escaped brackets) parts them.
    private static (string Text, List<int> Offsets) Literals(LeafBlock block)
    {
        var text = new StringBuilder();
        var offsets = new List<int>();
        foreach (var inline in block.Inline!.Descendants<Inline>())
        {
            var piece = inline is LiteralInline { IsFirstCharacterEscaped: false } literal && !IsInLink(inline) ? literal.Content.ToString() : "\n";
            text.Append(piece);
            for (var i = 0; i < piece.Length; i++) offsets.Add(inline.Span.Start + i);
        }
        return (text.ToString(), offsets);
    }

    private static bool IsInLink(Inline inline)
    {
        for (var parent = inline.Parent; parent is not null; parent = parent.Parent)
        {
            if (parent is LinkInline) return true;
        }
        return false;
    }

    [GeneratedRegex(@"\[\^[^\[\]\s]{1,100}\]|\[[^\[\]\n]{1,200}\]\[[^\[\]\n]{0,200}\]", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
