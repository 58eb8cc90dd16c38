using System.Globalization;
using System.Text;

namespace WeeklyDigest.Merging;

/// <summary>Words of others in a message of ours: short, on one line, without characters that a terminal would obey.</summary>
internal static class Quoted
{
    /// <summary>The text in single quotes, cut to 60 characters.</summary>
    public static string Text(string text) => $"'{Plain(text, 60)}'";

    /// <summary>The text cut to a length, control characters as dots, slot tokens as <c>{{…}}</c>.</summary>
    public static string Plain(string text, int maxLength)
    {
        var shown = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length >= maxLength) return shown.Append('…').ToString();
            if (Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator) shown.Append('·');
            else if (rune.Value == SlotTokens.Open) shown.Append("{{…}}");
            else if (rune.Value is < 0xE000 or > 0xF8FF) shown.Append(rune);
        }
        return shown.ToString();
    }
}
