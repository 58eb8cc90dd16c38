using System.Globalization;
using System.Text;

namespace WeeklyDigest.Issues;

/// <summary>Makes the anchors of an issue's entries: lower-case ASCII words with dashes, each once.</summary>
internal sealed class Anchors
{
    private readonly HashSet<string> _taken = [];
    private readonly Dictionary<string, int> _last = [];

    /// <summary>The anchor of the next entry.</summary>
    /// <param name="title">Its title, slots at their fallbacks.</param>
    /// <param name="number">Its place in the issue, from 1: <c>entry-3</c> where the title has no Latin letter or digit.</param>
    public string For(string title, int number)
    {
        var words = Words(title);
        var stem = words.Length > 0 ? words : $"entry-{number}";
        var anchor = stem;
        var count = _last.GetValueOrDefault(stem, 1);
        while (!_taken.Add(anchor)) anchor = $"{stem}-{++count}";
        _last[stem] = count;
        return anchor;
    }

    private static string Words(string title)
    {
        var words = new StringBuilder();
        foreach (var rune in title.EnumerateRunes())
        {
            // Decomposed, é is e and an accent; what is not ASCII then is left out.
            foreach (var c in NormalForm.Of(rune.ToString(), NormalizationForm.FormD))
            {
                if (char.IsAsciiLetterOrDigit(c)) words.Append(char.ToLowerInvariant(c));
                else if (!IsPartOfWord(c) && words.Length > 0 && words[^1] != '-') words.Append('-');
            }
        }
        return (words.Length > 80 ? words.ToString(0, 80) : words.ToString()).Trim('-');
    }

    private static bool IsPartOfWord(char c)
        => c is '\'' or '’' || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.Format;
}
