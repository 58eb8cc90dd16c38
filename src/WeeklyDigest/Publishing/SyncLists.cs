using System.Security.Cryptography;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Brings the subscribers folder into the database: each <c>NAME.csv</c> that is new or changed is imported into list NAME. A file adds
/// and updates; who is taken out of a file stays subscribed, and who unsubscribed stays away.
/// </summary>
/// <param name="subscribers">Where the lists go.</param>
/// <param name="folder">Where the files stand; when there is no such folder, there are no files.</param>
/// <param name="time">The clock.</param>
public sealed class SyncLists(ISubscriberStore subscribers, string folder, TimeProvider time)
{
    private const int MaxProblems = 1000;

    private static readonly ImportCounts Nothing = new(0, 0, 0, 0);

    /// <summary>The lists the files are read into.</summary>
    public IReadOnlyList<ListName> Names => [.. ListFolder.Files(folder).Select(file => file.List).OfType<ListName>().Distinct()];

    /// <summary>Imports what changed since it was imported last; waits for a file that seems to be written.</summary>
    /// <param name="wanted">Which lists.</param>
    /// <param name="cancel">Stops; a list is imported whole or not at all.</param>
    /// <returns>A report for each file that was imported or refused, by file name; a refused file does not keep the others back.</returns>
    public async Task<IReadOnlyList<ListFileReport>> RunAsync(WantedLists wanted, CancellationToken cancel)
    {
        var reports = new List<ListFileReport>();
        foreach (var file in Wanted(wanted))
            if (await VisitAsync(file, true, ImportNotedAsync, Refused, cancel) is { } report) reports.Add(report);
        return reports;
    }

    /// <summary>Finds out which files <see cref="RunAsync"/> would import or refuse, and imports nothing: every file that changed is read to its end, as it is now.</summary>
    /// <param name="wanted">Which lists; with every list also the files whose name is no list name.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The files, by name.</returns>
    public Task<IReadOnlyList<ChangedListFile>> ChangedAsync(WantedLists wanted, CancellationToken cancel) => ChangedAsync(wanted, false, cancel);

    private async Task<IReadOnlyList<ChangedListFile>> ChangedAsync(WantedLists wanted, bool waits, CancellationToken cancel)
    {
        var changed = new List<ChangedListFile>();
        foreach (var file in Wanted(wanted))
            if (await VisitAsync<ChangedListFile>(file, waits, CountAsync, (one, reason) => new(one.Path, one.List, 0, reason), cancel) is { } found) changed.Add(found);
        return changed;

        static Task<ChangedListFile> CountAsync(ListFile file, Stream content, string hash, CancellationToken cancel)
            => Task.FromResult(new ChangedListFile(file.Path, file.List, ListFolder.Count(content), null));
    }

    /// <summary>Finds out what <see cref="RunAsync"/> would refuse, and imports nothing: waits as it does, and every file that changed is read to its end.</summary>
    /// <param name="wanted">Which lists; with every list also the files whose name is no list name.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>The refused files, by file name.</returns>
    public async Task<IReadOnlyList<ListFileReport>> RefusedAsync(WantedLists wanted, CancellationToken cancel)
        => [.. (await ChangedAsync(wanted, true, cancel)).Where(file => file.Refusal is not null).Select(file => new ListFileReport(file.Path, file.List, Nothing, [], 0, file.Refusal))];

    /// <summary>Imports one file, changed or not, from wherever it stands, as it is now: who names it knows that it is whole. What comes through a pipe is read to its end before the database is touched.</summary>
    /// <param name="path">The file.</param>
    /// <param name="list">The list.</param>
    /// <param name="copies">Where a copy of what comes through a pipe may lie meanwhile.</param>
    /// <param name="cancel">Stops; a list is imported whole or not at all.</param>
    /// <exception cref="RefusedException">The file cannot be read, or is unusable as a whole; nothing of it was imported.</exception>
    public async Task<ListFileReport> ImportAsync(string path, ListName list, string copies, CancellationToken cancel)
    {
        try
        {
            await using var file = await GivenFile.OpenReadAsync(path, copies, cancel);
            return await ImportAsync(path, file, list, cancel);
        }
        catch (Exception problem) when (ListFolder.IsRefusal(problem) && !FolderTrouble.IsFullDisk(problem))
        {
            throw new RefusedException($"{path}: {problem.Message}");
        }
    }

    private IEnumerable<ListFile> Wanted(WantedLists wanted)
        => ListFolder.Files(folder).Where(file => wanted.Include(file.List));

    private async Task<TFound?> VisitAsync<TFound>(
        ListFile file, bool waits, Func<ListFile, Stream, string, CancellationToken, Task<TFound>> visit, Func<ListFile, string, TFound> refuse, CancellationToken cancel)
        where TFound : class
    {
        if (file.Problem is not null) return refuse(file, file.Problem);
        try
        {
            if (waits) await SettledFile.WaitAsync(file.Path, time, cancel);
            await using var content = RegularFile.OpenRead(file.Path);
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel));
            if (await subscribers.WasImportedAsync(file.List!, hash, cancel)) return null;
            content.Position = 0;
            return await visit(file, content, hash, cancel);
        }
        catch (Exception problem) when (ListFolder.IsRefusal(problem))
        {
            return refuse(file, problem.Message);
        }
    }

    private async Task<ListFileReport> ImportNotedAsync(ListFile file, Stream content, string hash, CancellationToken cancel)
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
