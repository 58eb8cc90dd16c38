namespace WeeklyDigest.Publishing;

/// <summary>
/// Waits for the end of a list file that somebody seems to be writing, as an upload over a slow line does: it was modified a moment ago and ends within a line,
/// which may be half an address.
/// </summary>
public static class SettledFile
{
    /// <summary>Whoever wrote nothing for so long wrote a last line without an end.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    /// <summary>A file that was waited for may end with a line by chance, at the end of a piece.</summary>
    private static readonly TimeSpan RestAfterLine = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>Waits; not at all for a file that ends with a line, or was modified longer ago.</summary>
    /// <param name="path">The file; what is no regular file is not waited for.</param>
    /// <param name="time">The clock, which the file's time is compared with.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <exception cref="FormatException">The file is still being written after half a minute.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static async Task WaitAsync(string path, TimeProvider time, CancellationToken cancel)
    {
        if (RegularFile.OtherAt(path) is not null) return;
        var begun = time.GetTimestamp();
        for (var isFirst = true; Left(path, isFirst, time.GetUtcNow()) is { } left; isFirst = false)
        {
            if (time.GetElapsedTime(begun) >= Patience)
                throw new FormatException("The file is being written, for half a minute already. Nothing of it was read in; try again when it is whole.");
            await Task.Delay(left < Look ? left : Look, time, cancel);
        }
    }

    // A time to come says nothing: the file's clock is another one.
    private static TimeSpan? Left(string path, bool isFirst, DateTimeOffset now)
    {
        using var file = RegularFile.OpenRead(path);
        var age = now - File.GetLastWriteTimeUtc(file.SafeFileHandle);
        var rest = ListFolder.EndsWithinLine(file, file.Length) ? Rest : isFirst ? TimeSpan.Zero : RestAfterLine;
        return age >= TimeSpan.Zero && age < rest ? rest - age : null;
    }
}
