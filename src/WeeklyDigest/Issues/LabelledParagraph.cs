using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace WeeklyDigest.Issues;

/// <summary>Finds the bold question that a labelled paragraph starts with.</summary>
internal static class LabelledParagraph
{
    private const int MaxLabelLength = 100;

    /// <summary>Cuts the question off a paragraph: <c>**What is it?** A library.</c></summary>
    /// <returns>The question, or null when the block starts with none; then it is unchanged.</returns>
    public static string? Cut(Block block)
    {
        if (block is not ParagraphBlock { Inline: { FirstChild: EmphasisInline { DelimiterCount: 2, DelimiterChar: '*' or '_' } bold } content }) return null;
        if (bold.Descendants<LinkInline>().Any()) return null;
        var label = PlainText.Of(bold);
        if (label.Length is 0 or > MaxLabelLength) return null;
        if (!EndsAsQuestion(label))
        {
            if (bold.NextSibling is not LiteralInline next || !IsQuestionMark(next.Content.CurrentChar)) return null;
            label += next.Content.CurrentChar;
            next.Content.SkipChar();
        }
        bold.Remove();
        TrimStart(content);
        return label;
    }

    private static bool EndsAsQuestion(string label) => IsQuestionMark(label[^1]);

    // Latin, full-width (CJK), Arabic.
    private static bool IsQuestionMark(char c) => c is '?' or '？' or '؟';

    private static void TrimStart(ContainerInline content)
    {
        while (content.FirstChild is { } first)
        {
            if (first is LiteralInline literal)
            {
                literal.Content.TrimStart();
                if (!literal.Content.IsEmpty) return;
            }
            else if (first is not LineBreakInline) return;
            first.Remove();
        }
    }
}
