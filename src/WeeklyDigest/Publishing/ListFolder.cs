using WeeklyDigest.Audience;

namespace WeeklyDigest.Publishing;

/// <summary>A CSV file in the subscribers folder.</summary>
/// <param name="Path">The file.</param>
/// <param name="List">The list it is read into; null when the file's name is no list name.</param>
/// <param name="Problem">Why it cannot be told which list it is, and what to do; else null.</param>
public sealed record ListFile(string Path, ListName? List, string? Problem);

/// <summary>The subscribers folder as it stands on the disk: which file is which list, and what a file holds.</summary>
public static class ListFolder
{
    /// <summary>The files, by name; none when there is no such folder.</summary>
    public static IReadOnlyList<ListFile> Files(string folder)
    {
        var owners = new Dictionary<ListName, string>();
        return [.. Paths(folder).Select(path =>
        {
            if (!ListName.TryParse(Path.GetFileNameWithoutExtension(path), out var list))
                return new ListFile(path, null, "The file's name is no list name. Use 1 to 64 letters, digits, dots, dashes and underscores before .csv.");
            return owners.TryAdd(list, path)
                ? new ListFile(path, list, null)
                : new ListFile(path, list, $"The list '{list}' is read from {Path.GetFileName(owners[list])} already. Give one of the files another name.");
        })];
    }

    /// <summary>Reads a file to its end and keeps nothing; waits while it seems to be written.</summary>
    /// <returns>Why it cannot be used as a whole, or null.</returns>
    public static async Task<string?> ProblemOfAsync(string path, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            await SettledFile.WaitAsync(path, time, cancel);
            await using var file = RegularFile.OpenRead(path);
            return ProblemOf(file);
        }
        catch (Exception problem) when (IsRefusal(problem))
        {
            return problem.Message;
        }
    }

    /// <summary>Reads a file that is open to its end and keeps nothing.</summary>
    /// <returns>Why it cannot be used as a whole, or null.</returns>
    public static string? ProblemOf(Stream file)
    {
        try
        {
            Count(file);
            return null;
        }
        catch (Exception problem) when (IsRefusal(problem))
        {
            return problem.Message;
        }
    }

    /// <summary>How many rows can be used; keeps nothing.</summary>
    /// <exception cref="FormatException">The file cannot be used as a whole.</exception>
    public static long Count(Stream file) => Rows(file, _ => { }).LongCount();

    /// <summary>The rows of a file, as <see cref="SubscriberCsv.Read"/> reads them.</summary>
    /// <exception cref="FormatException">
    /// Thrown while the rows are read; also when there are rows and none can be used: such a file is another than was meant; and when the file was written
    /// to meanwhile and ends within a line, as one does that is being copied: half an address may be one as well.
    /// </exception>
    public static IEnumerable<SubscriberRow> Rows(Stream file, Action<RowProblem> onProblem)
    {
        var (usable, skipped, first, before) = (false, 0L, default(RowProblem), StampOf(file));
        var rows = SubscriberCsv.Read(file, problem =>
        {
            skipped++;
            first ??= problem;
            onProblem(problem);
        });
        foreach (var row in rows)
        {
            usable = true;
            yield return row;
        }
        if (!usable && first is not null)
            throw new FormatException($"No row can be used ({skipped} skipped). The first, line {first.Line}: {first.Message}");
        if (StampOf(file) != before && EndsWithinLine(file, file.Position))
            throw new FormatException("The file is being written, and its last line had no end yet. Nothing of it was read in; try again when it is whole.");
    }

    /// <summary>Whether an exception means that a file cannot be used.</summary>
    public static bool IsRefusal(Exception problem) => problem is FormatException or IOException or UnauthorizedAccessException;

    /// <summary>Whether a line goes on at an octet of a file; none does where it is empty.</summary>
    internal static bool EndsWithinLine(Stream file, long end)
    {
        if (end == 0) return false;
        file.Position = end - 1;
        return file.ReadByte() is not ('\n' or '\r');
    }

    // What changes when somebody writes to a file. A pipe has neither, and ends only when its writer has ended.
    private static (long Length, DateTime Written) StampOf(Stream file)
        => file is FileStream { CanSeek: true, SafeFileHandle: var handle } ? (RandomAccess.GetLength(handle), File.GetLastWriteTimeUtc(handle)) : default;

    private static IEnumerable<string> Paths(string folder)
        => Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder)
                .Where(path => Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase))
                // What editors and spreadsheets leave beside a file that is open.
                .Where(path => Path.GetFileName(path)[0] is not ('.' or '~'))
                .Order(StringComparer.Ordinal)
            : [];
}
