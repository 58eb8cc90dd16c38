using System.Text;

namespace WeeklyDigest;

/// <summary>Normal forms of foreign text: .NET throws where a text holds U+FFFE or half a surrogate pair.</summary>
internal static class NormalForm
{
    /// <summary>A text in a normal form; what has none in it becomes U+FFFD.</summary>
    public static string Of(string text, NormalizationForm form)
    {
        try
        {
            return text.Normalize(form);
        }
        catch (ArgumentException)
        {
            return string.Concat(text.EnumerateRunes().Select(rune => rune.Value == 0xFFFE ? Rune.ReplacementChar : rune)).Normalize(form);
        }
    }
}
