using System.Globalization;
using System.Text;
using WeeklyDigest.Audience;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Server.Settings;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Commands;

/// <summary>Checks what the parser cannot see: that the templates render the issue, how large it gets, that its lists exist.</summary>
/// <param name="settings">The settings.</param>
/// <param name="time">The clock.</param>
internal sealed class IssueCheck(ServerSettings settings, TimeProvider time)
{
    /// <summary>Code of the finding that something else goes out than what was checked.</summary>
    public const string PublishedOtherwise = "published-otherwise";

    /// <summary>Code of the finding that nobody could look whether something else goes out.</summary>
    private const string PublishedUnknown = "published-unknown";

    /// <summary>Gmail cuts a message off after so many bytes of HTML.</summary>
    private const int GmailLimit = 102 * 1024;

    /// <summary>All findings, by line and column.</summary>
    public async Task<IReadOnlyList<Finding>> FindAsync(IssueFile file, CancellationToken cancel)
    {
        var findings = new List<Finding>(file.Findings);
        if (file.Issue is { } issue)
        {
            findings.AddRange(await RenderAsync(issue, cancel));
            findings.AddRange(await ListsAsync(file, issue, cancel));
        }
        findings.AddRange(await PublishedAsync(file, cancel));
        return [.. findings.OrderBy(finding => finding.Line).ThenBy(finding => finding.Column)];
    }

    /// <summary>What only the templates bring to light; the database is not asked.</summary>
    public async Task<IReadOnlyList<Finding>> RenderAsync(Issue issue, CancellationToken cancel)
    {
        try
        {
            var zoned = new ZonedTime(time, settings.Schedule.TimeZone);
            var email = await CompilerProcess.Renderer(settings.Paths)
                .RenderAsync(issue, settings.Newsletter, issue.Date ?? DateOnly.FromDateTime(zoned.GetLocalNow().DateTime), cancel);
            var bytes = email.Html.Parts.Sum(part => part.Text is null ? 0 : Encoding.UTF8.GetByteCount(part.Text));
            return bytes <= GmailLimit ? [] : [new Finding(Severity.Warning, "html-too-large", string.Create(CultureInfo.InvariantCulture,
                $"The HTML part has {bytes / 1024} KB; Gmail cuts messages off after 102 KB. Shorten the issue."), 1, 1)];
        }
        catch (Exception exception) when (exception is TemplateException or IOException or UnauthorizedAccessException)
        {
            return [new Finding(Severity.Error, "template", exception.Message, 1, 1)];
        }
    }

    // What the file itself says is told all the same when the database cannot be used.
    private async Task<IReadOnlyList<Finding>> PublishedAsync(IssueFile file, CancellationToken cancel)
    {
        try
        {
            return await PublishedFile.FindChangedAsync(settings, time, file, cancel) is var (mailing, change)
                ? [new Finding(Severity.Warning, PublishedOtherwise, FileWords.Sentence(mailing, change), 1, 1)]
                : [];
        }
        catch (Exception failure) when (failure is StorageException or RefusedException)
        {
            return [new Finding(Severity.Warning, PublishedUnknown, $"Whether it was published otherwise cannot be said. {failure.Message}", 1, 1)];
        }
    }

    private async Task<IReadOnlyList<Finding>> ListsAsync(IssueFile file, Issue issue, CancellationToken cancel)
    {
        var files = ListFolder.Files(settings.Paths.Subscribers);
        var inFolder = files.Select(file => file.List).OfType<ListName>();
        var inDatabase = await DatabaseListsAsync(cancel);
        var known = new SortedSet<ListName>(inFolder.Concat(inDatabase ?? []));
        var line = await LineOfListsAsync(file.Path, cancel);
        var wanted = WantedLists.Of(issue);
        var problems = new List<(string Path, string Problem)>();
        foreach (var list in files.Where(list => wanted.Include(list.List)))
            if ((list.Problem ?? await ListFolder.ProblemOfAsync(list.Path, time, cancel)) is { } problem) problems.Add((list.Path, problem));
        return [
            .. wanted.Misnamed
                .Concat(inDatabase is null ? [] : (wanted.Named ?? []).Except(known).Select(name => name.Value))
                .Select(name => new Finding(Severity.Error, "list-unknown",
                    $"There is no list '{name}'; there are: {(known.Count == 0 ? "none" : string.Join(", ", known))}. Put {name}.csv into {settings.Paths.Subscribers}, or correct the name.", line, 1)),
            .. problems.Select(list => new Finding(Severity.Error, "list-unusable", $"{list.Path} cannot be used. {list.Problem}", line, 1))];
    }

    // A file in the subscribers folder becomes a list when the issue is sent; the database is asked only when there is one. Null when it cannot be used,
    // which PublishedAsync tells.
    private async Task<IReadOnlyList<ListName>?> DatabaseListsAsync(CancellationToken cancel)
    {
        if (!Database.Exists(settings.Storage)) return [];
        try
        {
            using var database = Installation.OpenDatabase(settings, time);
            return await database.Subscribers.ListNamesAsync(cancel);
        }
        catch (Exception failure) when (failure is StorageException or RefusedException)
        {
            return null;
        }
    }

    private static async Task<int> LineOfListsAsync(string path, CancellationToken cancel)
    {
        var lines = await File.ReadAllLinesAsync(path, cancel);
        return Math.Max(0, Array.FindIndex(lines, line => line.StartsWith("lists", StringComparison.Ordinal) && line[5..].TrimStart().StartsWith(':'))) + 1;
    }
}
