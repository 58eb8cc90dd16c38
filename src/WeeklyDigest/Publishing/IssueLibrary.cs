using WeeklyDigest.Issues;

namespace WeeklyDigest.Publishing;

/// <summary>A file of the issues folder: what it parsed to, and what preflight has to say.</summary>
/// <param name="Path">The file.</param>
/// <param name="Slug">The issue's slug, or the file's name where the file has no usable permalink.</param>
/// <param name="Issue">The issue, or null when there are errors in the file.</param>
/// <param name="Findings">All findings, by line and column.</param>
public sealed record IssueFile(string Path, string Slug, Issue? Issue, IReadOnlyList<Finding> Findings)
{
    /// <summary>Whether no finding is an error.</summary>
    public bool IsValid => Issue is not null && Findings.All(finding => finding.Severity != Severity.Error);
}

/// <summary>The issues folder. Reads files when asked; keeps nothing.</summary>
/// <param name="folder">Where the .md files stand; README.md and files whose names begin with a dot or an underscore are no issues.</param>
public sealed class IssueLibrary(string folder)
{
    /// <summary>
    /// All issues by date, then by file name in natural order (week-2 before week-10); those without a date come last, as the newest.
    /// Duplicate permalinks and slugs are errors of both files. No folder, no issues.
    /// </summary>
    public IReadOnlyList<IssueFile> All()
    {
        var files = ReadFolder();
        return files.Select(file => file.File(DuplicatesOf(file, files), Severity.Error))
            .OrderBy(file => file.Issue?.Date ?? DateOnly.MaxValue)
            .ThenBy(file => Path.GetFileNameWithoutExtension(file.Path), NaturalOrder.Instance)
            .ThenBy(file => file.Path, StringComparer.Ordinal)
            .ToList();
    }

    /// <summary>One issue, or null when there is none.</summary>
    /// <param name="pathOrSlug">The path of a file anywhere; or the slug, the permalink or the file's name of an issue in the folder.</param>
    /// <remarks>
    /// A permalink that another issue of the folder has is an error within the folder and a warning for a file from elsewhere, which may be
    /// another copy of that issue.
    /// </remarks>
    public IssueFile? Find(string pathOrSlug)
    {
        if (LooksLikePath(pathOrSlug) && File.Exists(pathOrSlug)) return Read(pathOrSlug);
        var all = All();
        return all.FirstOrDefault(file => Same(file.Slug, pathOrSlug))
            ?? all.FirstOrDefault(file => Same(file.Issue?.Permalink, pathOrSlug))
            ?? all.FirstOrDefault(file => Same(Path.GetFileNameWithoutExtension(file.Path), pathOrSlug) || Same(Path.GetFileName(file.Path), pathOrSlug))
            ?? (File.Exists(pathOrSlug) ? Read(pathOrSlug) : null);
    }

    private IssueFile Read(string path)
    {
        var full = Path.GetFullPath(path);
        var file = IssueFileReading.Of(path);
        var others = ReadFolder();
        var isInFolder = others.Any(other => Path.GetFullPath(other.Path) == full);
        return file.File(DuplicatesOf(file, others), isInFolder ? Severity.Error : Severity.Warning);
    }

    private List<IssueFileReading> ReadFolder()
    {
        if (!Directory.Exists(folder)) return [];
        return Directory.EnumerateFiles(folder, "*.md").Where(IsIssue).Order(StringComparer.Ordinal).Select(IssueFileReading.Of).ToList();
    }

    private static IEnumerable<IssueFileReading> DuplicatesOf(IssueFileReading file, IEnumerable<IssueFileReading> files)
        => files.Where(other => file.Reading.Collides(other.Reading) && Path.GetFullPath(other.Path) != Path.GetFullPath(file.Path));

    private static bool IsIssue(string path)
        => Path.GetFileName(path) is var name && !name.StartsWith('.') && !name.StartsWith('_') && !Same(name, "README.md");

    private static bool LooksLikePath(string text)
        => text.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal) || text.Contains('/', StringComparison.Ordinal) || text.EndsWith(".md", StringComparison.OrdinalIgnoreCase);

    private static bool Same(string? left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
