namespace WeeklyDigest.Issues;

/// <summary>Finds the lines <c>---</c> around the front matter.</summary>
/// <param name="Fence">Offset of the opening fence.</param>
/// <param name="YamlStart">Offset of the YAML.</param>
/// <param name="YamlEnd">Offset behind the YAML.</param>
/// <param name="BodyStart">Offset of the Markdown.</param>
/// <param name="IsClosed">Whether there is a closing fence; if not, the YAML is taken to end at the first blank line.</param>
internal sealed record FrontMatterFence(int Fence, int YamlStart, int YamlEnd, int BodyStart, bool IsClosed)
{
    /// <summary>The fence of a text, or null when its first line with anything on it is not <c>---</c>.</summary>
    public static FrontMatterFence? Find(string text)
    {
        var (start, end, next) = LineAt(text, 0);
        while (next > start && text.AsSpan(start, end - start).IsWhiteSpace()) (start, end, next) = LineAt(text, next);
        if (!text.AsSpan(start, end - start).TrimEnd().SequenceEqual("---")) return null;
        return UpToCloser(text, start, next);
    }

    private static FrontMatterFence UpToCloser(string text, int fence, int yamlStart)
    {
        int? blank = null;
        for (var (start, end, next) = LineAt(text, yamlStart); next > start; (start, end, next) = LineAt(text, next))
        {
            var line = text.AsSpan(start, end - start).TrimEnd();
            if (line.SequenceEqual("---") || line.SequenceEqual("...")) return new(fence, yamlStart, start, next, true);
            if (line.IsEmpty) blank ??= start;
        }
        return new(fence, yamlStart, blank ?? text.Length, blank ?? text.Length, false);
    }

    // End is where the line's text ends, Next is behind its line break; at the end of the text Start == Next.
    private static (int Start, int End, int Next) LineAt(string text, int start)
    {
        var length = text.AsSpan(start).IndexOfAny('\r', '\n');
        if (length < 0) return (start, text.Length, text.Length);
        var end = start + length;
        var isPair = text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n';
        return (start, end, end + (isPair ? 2 : 1));
    }
}
