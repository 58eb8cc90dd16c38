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

    /// <summary>The lists the files are read into.</summary>
    public IReadOnlyList<ListName> Names => [.. ListFolder.Files(folder).Select(file => file.List).OfType<ListName>().Distinct()];

    /// <summary>Imports what changed since it was imported last.</summary>
    /// <param name="wanted">Which lists.</param>
    /// <param name="cancel">Stops; a list is imported whole or not at all.</param>
    /// <returns>A report for each file that was imported or refused, by file name; a refused file does not keep the others back.</returns>
    public async Task<IReadOnlyList<ListFileReport>> RunAsync(WantedLists wanted, CancellationToken cancel)
    {
        var reports = new List<ListFileReport>();
        foreach (var file in Wanted(wanted))
            if (await VisitAsync(file, ImportNotedAsync, cancel) is { } report) reports.Add(report);
        return reports;
    }

    /// <summary>Finds out what <see cref="RunAsync"/> would refuse, and imports nothing: every file that changed is read to its end.</summary>
    /// <param name="wanted">Which lists; with every list also the files whose name is no list name.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The refused files, by file name.</returns>
    public async Task<IReadOnlyList<ListFileReport>> RefusedAsync(WantedLists wanted, CancellationToken cancel)
    {
        var reports = new List<ListFileReport>();
        foreach (var file in Wanted(wanted))
            if (await VisitAsync(file, (one, content, _, _) => Task.FromResult(ListFolder.ProblemOf(content) is { } problem ? Refused(one, problem) : null), cancel) is { } report) reports.Add(report);
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
        catch (Exception problem) when (ListFolder.IsRefusal(problem))
        {
            throw new RefusedException($"{path}: {problem.Message}");
        }
    }

    private IEnumerable<ListFile> Wanted(WantedLists wanted)
        => ListFolder.Files(folder).Where(file => wanted.Include(file.List));

    private async Task<ListFileReport?> VisitAsync(ListFile file, Func<ListFile, Stream, string, CancellationToken, Task<ListFileReport?>> visit, CancellationToken cancel)
    {
        if (file.Problem is not null) return Refused(file, file.Problem);
        try
        {
            await using var content = File.OpenRead(file.Path);
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel));
            if (await subscribers.WasImportedAsync(file.List!, hash, cancel)) return null;
            content.Position = 0;
            return await visit(file, content, hash, cancel);
        }
        catch (Exception problem) when (ListFolder.IsRefusal(problem))
        {
            return Refused(file, problem.Message);
        }
    }

    private async Task<ListFileReport?> ImportNotedAsync(ListFile file, Stream content, string hash, CancellationToken cancel)
    {
        var report = await ImportAsync(file.Path, content, file.List!, cancel);
        // If we die before this line, or the file changed since it was hashed, the next run imports it again and finds most of it unchanged.
        await subscribers.MarkImportedAsync(file.List!, hash, cancel);
        return report;
    }

    private async Task<ListFileReport> ImportAsync(string path, Stream file, ListName list, CancellationToken cancel)
    {
        var problems = new List<RowProblem>();
        var count = 0L;
        var rows = ListFolder.Rows(file, problem =>
        {
            if (++count <= MaxProblems) problems.Add(problem);
        });
        var counts = await subscribers.ImportAsync(list, ReadAhead.Of(rows), cancel);
        return new ListFileReport(path, list, counts, problems, count, null);
    }

    private static ListFileReport Refused(ListFile file, string reason) => new(file.Path, file.List, Nothing, [], 0, reason);
}
