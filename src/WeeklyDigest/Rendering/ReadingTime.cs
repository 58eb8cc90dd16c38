using System.Text.RegularExpressions;

namespace WeeklyDigest.Rendering;

/// <summary>How long a text takes to read.</summary>
internal static partial class ReadingTime
{
    private const double WordsPerMinute = 230;
    private const double IdeographsPerMinute = 400;

    /// <summary>Minutes, rounded, at least 1. Words and ideographs are counted apart: Chinese and Japanese put no spaces between words.</summary>
    public static int Minutes(IEnumerable<string> texts)
    {
        var minutes = texts.Sum(text => Words().Count(text) / WordsPerMinute + Ideographs().Count(text) / IdeographsPerMinute);
        return Math.Max(1, (int)Math.Round(minutes, MidpointRounding.AwayFromZero));
    }

    [GeneratedRegex(@"[\p{L}\p{N}-[\u2E80-\u9FFF]][\p{L}\p{N}\p{M}'\u2019-[\u2E80-\u9FFF]]*", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    [GeneratedRegex(@"[\u3040-\u30FF\u3400-\u9FFF]", RegexOptions.CultureInvariant)]
    private static partial Regex Ideographs();
}
