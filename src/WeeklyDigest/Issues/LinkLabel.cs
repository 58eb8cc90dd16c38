using System.Text.RegularExpressions;

namespace WeeklyDigest.Issues;

/// <summary>What the button of a link says when its author gave no words: where it leads, never a raw URL.</summary>
public static partial class LinkLabel
{
    /// <summary>The label of an address.</summary>
    /// <param name="url">An absolute http(s) address; slot tokens may stand after the host.</param>
    /// <returns><c>arXiv 2009.06489</c>, <c>GitHub owner/repo</c>, or the host without <c>www.</c>; the address itself when it is not absolute.</returns>
    public static string For(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0) return url;
        var host = uri.Host.StartsWith("www.", StringComparison.Ordinal) ? uri.Host[4..] : uri.Host;
        return host switch
        {
            "arxiv.org" or "export.arxiv.org" => ArXiv(uri.AbsolutePath) ?? host,
            "github.com" => GitHub(uri.AbsolutePath) ?? host,
            _ => host,
        };
    }

    private static string? ArXiv(string path)
        => ArXivPath().Match(path) is { Success: true } match ? $"arXiv {match.Groups["id"].Value}" : null;

    private static string? GitHub(string path)
    {
        var match = GitHubPath().Match(path);
        if (!match.Success || IsGitHubsOwn(match.Groups["owner"].Value)) return null;
        var repository = match.Groups["repo"].Value;
        if (repository.EndsWith(".git", StringComparison.Ordinal)) repository = repository[..^4];
        return repository.Length == 0 ? $"GitHub {match.Groups["owner"].Value}" : $"GitHub {match.Groups["owner"].Value}/{repository}";
    }

    // First path segments that are pages of the site, not accounts.
    private static bool IsGitHubsOwn(string owner) => owner.ToLowerInvariant()
        is "about" or "apps" or "collections" or "customer-stories" or "enterprise" or "events" or "explore" or "features" or "marketplace"
        or "orgs" or "pricing" or "readme" or "search" or "security" or "settings" or "sponsors" or "topics" or "trending";

    // Identifiers since 2007 (2009.06489v2) and before (math.GT/0309136), https://info.arxiv.org/help/arxiv_identifier.html
    [GeneratedRegex(@"^/(?:abs|pdf|html)/(?<id>(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d{1,3})?)(?:\.pdf)?/?$", RegexOptions.CultureInvariant)]
    private static partial Regex ArXivPath();

    [GeneratedRegex(@"^/(?<owner>[A-Za-z0-9][A-Za-z0-9-]{0,38})(?:/(?:(?<repo>[A-Za-z0-9._-]{1,100})(?:/.*)?)?)?$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex GitHubPath();
}
