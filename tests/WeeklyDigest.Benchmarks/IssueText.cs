using System.Text;

namespace WeeklyDigest.Benchmarks;

/// <summary>An issue of the ordinary kind whose message comes to 37 KB, with every kind of merge slot.</summary>
internal static class IssueText
{
    private const int Entries = 5;

    public static string Write()
    {
        var text = new StringBuilder("---\ntitle: Five papers on how machines see\n---\n\nGood morning {{ name | there }}, this is what was worth reading this week.\n");
        for (var entry = 1; entry <= Entries; entry++)
        {
            text.Append(null, $"\n### {entry}. A paper on the {entry}. way of seeing\n\n");
            text.Append(null, $"[arXiv](https://arxiv.org/abs/2009.0{entry}489) [code](https://github.com/example/seeing-{entry})\n\n");
            text.Append("**What is it?** ").Append(Paragraph(entry)).Append("\n\n**Why it matters?** ").Append(Paragraph(entry + Entries)).Append('\n');
        }
        return text.ToString();
    }

    private static string Paragraph(int number)
        => string.Join(' ', Enumerable.Range(1, 7).Select(sentence =>
            FormattableString.Invariant($"Sentence {sentence} of paragraph {number} says how the authors got there and what they measured on the way.")));
}
