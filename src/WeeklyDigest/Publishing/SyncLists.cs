using System.Security.Cryptography;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Brings the subscribers folder into the database: each <c>NAME.csv</c> that is new or changed is imported into list NAME. A file adds
/// and updates; who is taken out of a file stays subscribed, and who unsubscribed stays away.
/// </summary>
/// <param name="subscribers">Where the lists go.</param>
/// <param name="folder">Where the files stand; when there is no such folder, there are no files.</param>
public sealed class SyncLists(ISubscriberStore subscribers, string folder)
{
    private const int MaxProblems = 1000;

    private static readonly ImportCounts Nothing = new(0, 0, 0, 0);

    /// <summary>Imports what changed since it was imported last.</summary>
    /// <param name="cancel">Stops; a list is imported whole or not at all.</param>
    /// <returns>A report for each file that was imported or refused, by file name; a refused file does not keep the others back.</returns>
    public async Task<IReadOnlyList<ListFileReport>> RunAsync(CancellationToken cancel)
    {
        var reports = new List<ListFileReport>();
        var owners = new Dictionary<ListName, string>();
        foreach (var path in Files())
        {
            if (!ListName.TryParse(Path.GetFileNameWithoutExtension(path), out var list))
                reports.Add(Refused(path, null, "The file's name is no list name. Use 1 to 64 letters, digits, dots, dashes and underscores before .csv."));
            else if (!owners.TryAdd(list, path))
                reports.Add(Refused(path, list, $"The list '{list}' is read from {Path.GetFileName(owners[list])} already. Give one of the files another name."));
            else if (await SyncAsync(path, list, cancel) is { } report)
                reports.Add(report);
        }
        return reports;
    }

    /// <summary>Imports one file, changed or not, from wherever it stands.</summary>
    /// <exception cref="RefusedException">The file cannot be read, or is unusable as a whole; nothing of it was imported.</exception>
    public async Task<ListFileReport> ImportAsync(string path, ListName list, CancellationToken cancel)
    {
        try
        {
            await using var file = File.OpenRead(path);
            return await ImportAsync(path, file, list, cancel);
        }
        catch (Exception problem) when (IsRefusal(problem))
        {
            throw new RefusedException($"{path}: {problem.Message}");
        }
    }

    private IEnumerable<string> Files()
        => Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder)
                .Where(path => Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase))
                // What editors and spreadsheets leave beside a file that is open.
                .Where(path => Path.GetFileName(path)[0] is not ('.' or '~'))
                .Order(StringComparer.Ordinal)
            : [];

    private async Task<ListFileReport?> SyncAsync(string path, ListName list, CancellationToken cancel)
    {
        try
        {
            await using var file = File.OpenRead(path);
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
            if (await subscribers.WasImportedAsync(list, hash, cancel)) return null;
            file.Position = 0;
            var report = await ImportAsync(path, file, list, cancel);
            // If we die before this line, or the file changed since it was hashed, the next run imports it again and finds most of it unchanged.
            await subscribers.MarkImportedAsync(list, hash, cancel);
            return report;
        }
        catch (Exception problem) when (IsRefusal(problem))
        {
            return Refused(path, list, problem.Message);
        }
    }

    private async Task<ListFileReport> ImportAsync(string path, Stream file, ListName list, CancellationToken cancel)
    {
        var problems = new List<RowProblem>();
        var count = 0L;
        var rows = SubscriberCsv.Read(file, problem =>
        {
            if (++count <= MaxProblems) problems.Add(problem);
        });
        var counts = await subscribers.ImportAsync(list, rows, cancel);
        return new ListFileReport(path, list, counts, problems, count, null);
    }

    private static bool IsRefusal(Exception problem) => problem is FormatException or IOException or UnauthorizedAccessException;

    private static ListFileReport Refused(string path, ListName? list, string reason) => new(path, list, Nothing, [], 0, reason);
}
