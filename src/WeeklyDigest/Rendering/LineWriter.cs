using System.Text;

namespace WeeklyDigest.Rendering;

/// <summary>Collects HTML and breaks its lines where a break means nothing: RFC 5322 section 2.1.1 allows 998 octets a line.</summary>
internal sealed class LineWriter
{
    // Far under 998: a line may hold slots, and their values come later.
    private const int Long = 160;

    /// <summary>The longest piece, in octets, that is not broken by force.</summary>
    public const int MaxPiece = 700;

    private readonly StringBuilder html = new();
    private int octets;

    /// <summary>Appends what must not be broken.</summary>
    public void Write(string piece)
    {
        html.Append(piece);
        var last = piece.LastIndexOf('\n');
        octets = last < 0 ? octets + Encoding.UTF8.GetByteCount(piece) : Encoding.UTF8.GetByteCount(piece.AsSpan(last + 1));
    }

    /// <summary>White space: a line break where the line is long, or the author broke it.</summary>
    public void Space(bool broken)
    {
        if (html.Length > 0 && html[^1] == '\n') return;
        html.Append(broken || octets > Long ? '\n' : ' ');
        octets = html[^1] == '\n' ? 0 : octets + 1;
    }

    /// <summary>A place where white space means nothing: broken only if the line is long.</summary>
    public void Between()
    {
        if (octets > Long) Space(broken: true);
    }

    /// <inheritdoc/>
    public override string ToString() => html.ToString();
}
