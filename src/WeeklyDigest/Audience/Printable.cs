using System.Globalization;
using System.Text;

namespace WeeklyDigest.Audience;

/// <summary>Tells text that fits on a line from text that would break out of it.</summary>
internal static class Printable
{
    /// <summary>Whether a character is neither a control character (C0, C1) nor a line break of any kind.</summary>
    public static bool Is(Rune rune)
        => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    /// <summary>The first character of a text that is not printable, or null.</summary>
    public static Rune? FirstOther(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (!Is(rune)) return rune;
        }
        return null;
    }
}
