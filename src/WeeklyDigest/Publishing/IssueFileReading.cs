using WeeklyDigest.Issues;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Publishing;

/// <summary>A file that was read and parsed, before it is held against the others.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reading">What the parser made of it.</param>
internal sealed record IssueFileReading(string Path, IssueReading Reading)
{
    /// <summary>Reads and parses a file. One that cannot be read becomes a finding.</summary>
    public static IssueFileReading Of(string path)
    {
        if (RegularFile.OtherAt(path) is { } other) return Unreadable(path, $"This is {other}, and no regular file; put the issue's Markdown file in its place, or remove it.");
        var name = System.IO.Path.GetFileNameWithoutExtension(path);
        try
        {
            return new IssueFileReading(path, IssueParser.Read(BytesOf(path), name));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return Unreadable(path, $"The file cannot be read: {unreadable.Message}");
        }
    }

    /// <summary>The file with a finding for each other one that has its permalink or slug.</summary>
    public IssueFile File(IEnumerable<IssueFileReading> duplicates, Severity severity)
    {
        var (line, column) = Reading.PermalinkPlace;
        var clashes = duplicates.Select(other => new Finding(severity, "permalink-duplicate", Message(other, severity), line, column));
        var findings = Reading.Findings.Concat(clashes).OrderBy(finding => finding.Line).ThenBy(finding => finding.Column).ToList();
        var slug = Reading.Slug?.Value ?? System.IO.Path.GetFileNameWithoutExtension(Path);
        return new IssueFile(Path, slug, Reading.Issue, findings);
    }

    private string Message(IssueFileReading other, Severity severity)
    {
        var name = Quoted.Text(System.IO.Path.GetFileName(other.Path));
        if (severity == Severity.Warning) return $"{name} in the issues folder is called {Reading.Slug} too: both count as one issue, which is sent once.";
        return Permalink.Same(Reading.Permalink!, other.Reading.Permalink!)
            ? $"{name} has the permalink {Reading.Permalink} too: each issue needs its own."
            : $"The permalink of {name} ends in {Reading.Slug} too: the last part names the issue and has to differ.";
    }

    private static IssueFileReading Unreadable(string path, string message)
        => new(path, new IssueReading(null, [new Finding(Severity.Error, "file-unreadable", message, 1, 1)], null, null, (1, 1)));

    // One byte more than the limit tells that a file is too large; the rest of a huge file is never read.
    private static ReadOnlyMemory<byte> BytesOf(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[Math.Min(file.Length, IssueParser.MaxBytes) + 1];
        var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return bytes.AsMemory(0, count);
    }
}
