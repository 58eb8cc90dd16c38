using System.Globalization;
using System.Text.RegularExpressions;

namespace WeeklyDigest.Issues;

/// <summary>Finds the number of an issue: "week 1", "Issue #12", "No. 7".</summary>
internal static partial class IssueNumber
{
    /// <summary>The number at the beginning of a part of the title, else in the file's name, else anywhere in the title; or null.</summary>
    public static int? Of(IEnumerable<string> titleParts, string fileName)
    {
        var parts = titleParts.ToList();
        return parts.Select(part => Number(AtStart().Match(part))).FirstOrDefault(number => number is not null)
            ?? Number(Anywhere().Match(fileName))
            ?? parts.Select(part => Number(Anywhere().Match(part))).FirstOrDefault(number => number is not null);
    }

    private static int? Number(Match match) => match.Success ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"^(?:(?:week|issue|edition|number|no\.?)[\s_-]*#?|#)([0-9]{1,5})(?![0-9])", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex AtStart();

    [GeneratedRegex(@"(?<![\p{L}\p{Nd}])(?:(?:week|issue|edition|number|no\.?)[\s_-]*#?|#)([0-9]{1,5})(?![0-9])", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Anywhere();
}
