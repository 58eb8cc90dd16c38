using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace WeeklyDigest.Issues;

/// <summary>A value of the front matter before its key has judged it.</summary>
/// <param name="Offset">Offset in the file's text.</param>
/// <param name="Text">The text of a scalar, null when it is a null; meaningless when <paramref name="Items"/> is set or it is not simple.</param>
/// <param name="Items">The items of a sequence of scalars, else null.</param>
/// <param name="IsSimple">Whether it is a scalar or a sequence of scalars; mappings, aliases and deeper sequences are not.</param>
/// <param name="IsCut">Whether a comment follows an unquoted text on its line: the author may have meant a number sign.</param>
internal sealed record YamlValue(int Offset, string? Text, IReadOnlyList<YamlValue>? Items, bool IsSimple, bool IsCut);

/// <summary>Walks the events of the YAML parser and keeps offsets in the whole file.</summary>
internal sealed partial class YamlCursor
{
    private readonly string _text;
    private readonly FrontMatterFence _fence;
    private readonly Parser _parser;

    public YamlCursor(string text, FrontMatterFence fence)
    {
        _text = text;
        _fence = fence;
        _parser = new Parser(new StringReader(text[fence.YamlStart..fence.YamlEnd]));
    }

    public ParsingEvent? Current => _parser.Current;

    /// <summary>Where the current event begins.</summary>
    public int Offset => OffsetOf(_parser.Current?.Start ?? Mark.Empty);

    public int OffsetOf(Mark mark) => (int)Math.Clamp(_fence.YamlStart + mark.Index, _fence.YamlStart, _fence.YamlEnd);

    /// <summary>Moves to the next event.</summary>
    /// <exception cref="YamlException">There is none, or the YAML is broken.</exception>
    public void Next()
    {
        if (!_parser.MoveNext()) throw new YamlException(Mark.Empty, Mark.Empty, "The text ends too early");
    }

    /// <summary>Moves on until an event of this kind is current.</summary>
    /// <returns>False when the YAML ends before.</returns>
    public bool MoveTo<TEvent>()
        where TEvent : ParsingEvent
    {
        while (_parser.Current is not TEvent)
        {
            if (!_parser.MoveNext()) return false;
        }
        return true;
    }

    /// <summary>Moves behind the current node and all in it.</summary>
    public void SkipNode()
    {
        var depth = 0;
        do
        {
            depth += Current?.NestingIncrease ?? 0;
            Next();
        }
        while (depth > 0);
    }

    /// <summary>Reads the current node and moves behind it.</summary>
    /// <remarks>The parser gives no node at all for the value of some odd keys, where it should give an empty one.</remarks>
    public YamlValue ReadValue()
    {
        var offset = Offset;
        if (Current is not (NodeEvent or AnchorAlias)) return new YamlValue(offset, null, null, true, false);
        if (Current is Scalar scalar)
        {
            var value = new YamlValue(offset, TextOf(scalar), null, true, IsCut(scalar));
            Next();
            return value;
        }
        if (Current is SequenceStart) return ReadSequence(offset);
        SkipNode();
        return new YamlValue(offset, null, null, false, false);
    }

    private YamlValue ReadSequence(int offset)
    {
        var items = new List<YamlValue>();
        Next();
        while (Current is not SequenceEnd)
        {
            if (Current is Scalar) items.Add(ReadValue());
            else
            {
                items.Add(new YamlValue(Offset, null, null, false, false));
                SkipNode();
            }
        }
        Next();
        return new YamlValue(offset, null, items, items.All(item => item.IsSimple), false);
    }

    private string? TextOf(Scalar scalar)
    {
        if (scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null" or "Null" or "NULL") return null;
        // An escape such as "\uE000" must not make up a token that the author did not write as a slot.
        var written = _text[OffsetOf(scalar.Start)..OffsetOf(scalar.End)];
        return PrivateUseOf(written) == PrivateUseOf(scalar.Value) ? scalar.Value : PrivateUse().Replace(scalar.Value, "\uFFFD");
    }

    private bool IsCut(Scalar scalar)
        => scalar.Style == ScalarStyle.Plain && CommentAhead().IsMatch(_text.AsSpan(OffsetOf(scalar.End).._fence.YamlEnd));

    private static string PrivateUseOf(string text) => string.Concat(PrivateUse().Matches(text).Select(match => match.Value));

    [GeneratedRegex("[\uE000-\uF8FF]", RegexOptions.CultureInvariant)]
    private static partial Regex PrivateUse();

    [GeneratedRegex(@"\A[ \t]*#", RegexOptions.CultureInvariant)]
    private static partial Regex CommentAhead();
}
