using System.Text.RegularExpressions;

namespace WeeklyDigest.Issues;

/// <summary>The rule for the path of an archive page.</summary>
internal static partial class Permalink
{
    /// <summary>First segments that belong to the program's own pages.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "desk", "hangfire", "inbox", "api", "subscribe", "unsubscribe", "confirm", "preferences", "healthz", "metrics", "feed.xml",
        "favicon.ico", "robots.txt", "sign-in", "sign-out", "site",
    };

    /// <summary>Reads a permalink.</summary>
    /// <returns>The slug, its last segment; or null and what is wrong.</returns>
    public static (IssueSlug? Slug, string? Problem) Read(string path)
    {
        if (Problem(path) is { } problem) return (null, problem);
        var last = path.TrimEnd('/').Split('/')[^1];
        return IssueSlug.TryParse(last, out var slug)
            ? (slug, null)
            : (null, "its last part names the issue and needs a letter or a digit, and none but letters, digits, dots, dashes and underscores.");
    }

    /// <summary>Whether two permalinks lead to the same page.</summary>
    public static bool Same(string left, string right) => string.Equals(left.TrimEnd('/'), right.TrimEnd('/'), StringComparison.OrdinalIgnoreCase);

    private static string? Problem(string path)
    {
        if (!path.StartsWith('/')) return "it has to start with a slash, such as /posts/week-1.";
        if (path.Length > 300) return "it is longer than 300 characters.";
        if (path == "/") return "/ is the archive's own page; use a path such as /posts/week-1.";
        if (path.AsSpan().ContainsAny('?', '#')) return "it is a path, without ? and #.";
        var segments = path[1..].TrimEnd('/').Split('/');
        if (segments.Any(segment => segment is "." or "..")) return "it may not hold the segments . and ..";
        if (!PathPattern().IsMatch(path)) return "it may hold letters a to z, digits and . _ ~ - only, in segments parted by single slashes.";
        return Reserved.Contains(segments[0]) ? $"/{segments[0].ToLowerInvariant()} is one of the program's own pages; use a path such as /posts/week-1." : null;
    }

    [GeneratedRegex(@"^(?:/[A-Za-z0-9._~-]+)+/?\z", RegexOptions.CultureInvariant)]
    private static partial Regex PathPattern();
}
