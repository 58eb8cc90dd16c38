using System.Text;
using AngleSharp.Dom;

namespace WeeklyDigest.Rendering;

/// <summary>
/// Writes a document as HTML for mail: characters as themselves, not as entities; white space folded; lines far under 998 octets;
/// of the comments only those that Outlook reads.
/// </summary>
internal sealed class HtmlWriter
{
    // A comment is the one thing that means nothing in the middle of a word.
    private const string HiddenBreak = "<!--\n-->";

    private static readonly HashSet<string> Void = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
    private static readonly HashSet<string> Raw = ["style", "script"];

    private static readonly HashSet<string> Blocks =
    [
        "html", "head", "body", "title", "meta", "link", "style", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "div", "p", "ul", "ol", "li", "dl",
        "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "blockquote", "pre", "figure", "figcaption",
    ];

    private readonly LineWriter lines = new();

    /// <summary>The document's HTML.</summary>
    public static string Write(IDocument document)
    {
        var writer = new HtmlWriter();
        writer.lines.Write("<!DOCTYPE html>\n");
        writer.Node(document.DocumentElement, verbatim: false);
        return writer.lines.ToString().TrimEnd() + "\n";
    }

    private void Node(INode node, bool verbatim)
    {
        switch (node)
        {
            case IElement element: Element(element, verbatim); break;
            case IText text when Raw.Contains(text.ParentElement?.LocalName ?? ""): lines.Write(text.Data); break;
            case IText text when verbatim: Verbatim(text.Data); break;
            case IText text: Text(text.Data); break;
            case IComment { Data: ['[', 'i', 'f', ..] or ['<', '!', '[', 'e', ..] } comment: lines.Write($"<!--{comment.Data}-->"); break;
        }
    }

    private void Element(IElement element, bool verbatim)
    {
        var block = Blocks.Contains(element.LocalName) && !verbatim;
        if (block) lines.Between();
        lines.Write("<" + element.LocalName);
        foreach (var attribute in element.Attributes) Attribute(attribute);
        lines.Write(">");
        if (Void.Contains(element.LocalName)) return;
        var pre = element.LocalName is "pre" or "textarea";
        // The parser takes the first line break after <pre> away.
        if (pre && element.TextContent.StartsWith('\n')) lines.Write("\n");
        foreach (var child in element.ChildNodes) Node(child, verbatim || pre);
        lines.Write($"</{element.LocalName}>");
        if (block) lines.Between();
    }

    private void Attribute(IAttr attribute)
    {
        lines.Space(broken: false);
        var value = Quoted(attribute.Value);
        lines.Write($"{attribute.Name}=\"");
        if (attribute.Name == "style") Style(attribute.Value);
        else if (value.Length <= LineWriter.MaxPiece / 3 || value.Contains("://", StringComparison.Ordinal)) lines.Write(value);
        else Words(value, "\n");
        lines.Write("\"");
    }

    private void Style(string value)
    {
        var first = true;
        foreach (var declaration in CssText.Declarations(value))
        {
            if (!first) lines.Write(";");
            if (!first) lines.Between();
            first = false;
            lines.Write(Quoted(declaration));
        }
    }

    private void Text(string data)
    {
        if (data.Length > 0 && IsSpace(data[0])) lines.Space(data.TakeWhile(IsSpace).Contains('\n'));
        if (data.All(IsSpace)) return;
        Words(Escaped(data), HiddenBreak);
        if (IsSpace(data[^1])) lines.Space(data.Reverse().TakeWhile(IsSpace).Contains('\n'));
    }

    private void Words(string text, string hiddenBreak)
    {
        var first = true;
        foreach (var word in text.Split([' ', '\n', '\t', '\r', '\f'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (!first) lines.Space(broken: false);
            first = false;
            Piece(word, hiddenBreak);
        }
    }

    private void Verbatim(string data)
    {
        var first = true;
        foreach (var line in Escaped(data).Split('\n'))
        {
            if (!first) lines.Write("\n");
            first = false;
            Piece(line, HiddenBreak);
        }
    }

    private void Piece(string piece, string hiddenBreak)
    {
        while (Encoding.UTF8.GetByteCount(piece) > LineWriter.MaxPiece)
        {
            var cut = Cut(piece);
            lines.Write(piece[..cut] + hiddenBreak);
            piece = piece[cut..];
        }
        lines.Write(piece);
    }

    // Not inside an entity, a surrogate pair, a token, or before a combining mark; each is far shorter than what is searched back.
    private static int Cut(string piece)
    {
        var cut = LineWriter.MaxPiece / 3;
        var entity = piece.LastIndexOf('&', cut - 1, 10);
        if (entity >= 0 && piece.IndexOf(';', entity) is var end && end >= cut) cut = entity;
        while (cut > 1 && (char.IsLowSurrogate(piece[cut]) || piece[cut] is >= '\uE002' and <= '\uF8FF' || IsMark(piece[cut]))) cut--;
        return cut;
    }

    private static bool IsMark(char character) => char.GetUnicodeCategory(character) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark or System.Globalization.UnicodeCategory.Format;

    private static bool IsSpace(char character) => character is ' ' or '\n' or '\t' or '\r' or '\f';

    private static string Quoted(string value) => value.Replace("&", "&amp;", StringComparison.Ordinal).Replace("\"", "&quot;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    private static string Escaped(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("\u00A0", "&nbsp;", StringComparison.Ordinal);
}
