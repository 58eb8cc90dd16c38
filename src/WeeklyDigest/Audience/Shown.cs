using System.Text;

namespace WeeklyDigest.Audience;

/// <summary>Foreign text as it may be shown in a message: on one line, and not much of it.</summary>
internal static class Shown
{
    private const int MaxLength = 100;

    /// <summary>At most 100 characters, control characters as middle dots.</summary>
    public static string Of(string text)
    {
        var shown = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length + rune.Utf16SequenceLength > MaxLength) return shown.Append('…').ToString();
            shown.Append(Printable.Is(rune) ? rune.ToString() : "·");
        }
        return shown.ToString();
    }
}
