using System.Text;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Rendering;

/// <summary>Collects the pieces of a merge template: literal pieces are joined, empty ones left out.</summary>
internal sealed class MergeTemplateBuilder
{
    private readonly List<MergePart> parts = [];
    private readonly StringBuilder literal = new();

    /// <summary>Appends literal text.</summary>
    public MergeTemplateBuilder Text(ReadOnlySpan<char> text)
    {
        literal.Append(text);
        return this;
    }

    /// <summary>Appends a slot, or the literal text that a token stands for.</summary>
    public MergeTemplateBuilder Part(MergePart part, MergeEncoding encoding)
    {
        if (part.Text is { } text) return Text(text);
        Close();
        parts.Add(part with { Encoding = encoding });
        return this;
    }

    /// <summary>The template.</summary>
    public MergeTemplate Build()
    {
        Close();
        return new MergeTemplate([.. parts]);
    }

    private void Close()
    {
        if (literal.Length == 0) return;
        parts.Add(new MergePart(literal.ToString(), null, MergeEncoding.Plain));
        literal.Clear();
    }
}
