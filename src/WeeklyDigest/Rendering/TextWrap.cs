using System.Text;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Rendering;

/// <summary>Wraps plain text. A word is never broken, so addresses survive; scripts without spaces may break between characters.</summary>
internal static class TextWrap
{
    private const string NotFirst = "、。，．！？：；）」』】〉》］｝ー々ゝゞ％…";
    private const string NotLast = "（「『【〈《［｛";

    /// <summary>The lines of a text; its own line breaks are kept.</summary>
    /// <param name="text">The text.</param>
    /// <param name="width">Columns, where a wide character takes two.</param>
    public static IEnumerable<string> Lines(string text, int width) => text.Split('\n').SelectMany(line => Wrap(line, width));

    // In UTF-16 units: at most 900 octets, so that a line stays under 998 (RFC 5322 section 2.1.1).
    private const int MaxLine = 300;

    /// <summary>
    /// A rendered text as it is sent: no spaces at line ends, never two empty lines, one line break at the end. A line that is too long for
    /// mail is broken anywhere, unless an address is what makes it long: that would no longer lead anywhere.
    /// </summary>
    public static string Tidy(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n').SelectMany(line => Broken(line.TrimEnd()));
        var tidy = new StringBuilder();
        var empty = 2;
        foreach (var line in lines)
        {
            empty = line.Length == 0 ? empty + 1 : 0;
            if (empty < 2) tidy.Append(line).Append('\n');
        }
        return tidy.ToString().TrimEnd('\n') + "\n";
    }

    private static IEnumerable<string> Broken(string line)
    {
        while (line.Length > MaxLine && !line.Contains("://", StringComparison.Ordinal) && Cut(line) is var cut && cut < line.Length)
        {
            yield return line[..cut];
            line = line[cut..];
        }
        yield return line;
    }

    // Not inside a surrogate pair or a token. A token may be longer than a line, since it has the length of its slot: that is cut behind it.
    private static int Cut(string line)
    {
        var cut = MaxLine;
        while (cut > 0 && IsInside(line[cut])) cut--;
        if (cut > 0) return cut;
        cut = MaxLine;
        while (cut < line.Length && IsInside(line[cut])) cut++;
        return cut;
    }

    private static bool IsInside(char character) => char.IsLowSurrogate(character) || character is > SlotTokens.Open and <= '\uF8FF';

    /// <summary>How many columns a text takes.</summary>
    public static int Columns(string text) => text.EnumerateRunes().Sum(Columns);

    private static IEnumerable<string> Wrap(string paragraph, int width)
    {
        var line = new StringBuilder();
        var columns = 0;
        foreach (var (piece, spaced) in Pieces(paragraph))
        {
            var needed = Columns(piece);
            var gap = spaced && line.Length > 0 ? 1 : 0;
            if (line.Length > 0 && columns + gap + needed > width)
            {
                yield return line.ToString();
                line.Clear();
                columns = gap = 0;
            }
            line.Append(' ', gap).Append(piece);
            columns += gap + needed;
        }
        yield return line.ToString();
    }

    /// <summary>What stays together, and whether a space stands before it.</summary>
    private static IEnumerable<(string Piece, bool Spaced)> Pieces(string paragraph)
    {
        foreach (var word in paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var spaced = true;
            var start = 0;
            var previous = default(Rune);
            var at = 0;
            foreach (var rune in word.EnumerateRunes())
            {
                if (at > start && MayBreak(previous, rune))
                {
                    yield return (word[start..at], spaced);
                    spaced = false;
                    start = at;
                }
                previous = rune;
                at += rune.Utf16SequenceLength;
            }
            yield return (word[start..], spaced);
        }
    }

    private static bool MayBreak(Rune before, Rune after)
        => (IsIdeograph(before) || IsIdeograph(after)) && !NotFirst.Contains(after.ToString(), StringComparison.Ordinal) && !NotLast.Contains(before.ToString(), StringComparison.Ordinal);

    private static bool IsIdeograph(Rune rune) => rune.Value is >= 0x2E80 and <= 0xA4CF or >= 0xF900 and <= 0xFAFF or >= 0xFF00 and <= 0xFF60 or >= 0x20000 and <= 0x3FFFF;

    private static int Columns(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.EnclosingMark or System.Globalization.UnicodeCategory.Format => 0,
        _ when IsIdeograph(rune) || rune.Value is >= 0x1100 and <= 0x115F or >= 0xAC00 and <= 0xD7A3 or >= 0x1F300 and <= 0x1FAFF => 2,
        _ => 1,
    };
}
