using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary>Writes files so that none of them is ever there in half.</summary>
internal static class OutputFolder
{
    /// <summary>Writes the files into a folder, which is created when missing; files of the same name are replaced.</summary>
    /// <returns>The paths written.</returns>
    /// <exception cref="RefusedException">The folder is a file.</exception>
    public static async Task<IReadOnlyList<string>> WriteAsync(string folder, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, CancellationToken cancel)
    {
        if (File.Exists(folder)) throw new RefusedException($"{folder} is a file; name a folder.");
        Directory.CreateDirectory(folder);
        var pending = files.ToDictionary(file => Path.Combine(folder, file.Key), file => Path.Combine(folder, $".{file.Key}.{Guid.NewGuid():n}"));
        try
        {
            foreach (var (path, temporary) in pending) await File.WriteAllBytesAsync(temporary, files[Path.GetFileName(path)], cancel);
            foreach (var (path, temporary) in pending) File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            foreach (var temporary in pending.Values) File.Delete(temporary);
        }
        return [.. pending.Keys];
    }

    /// <summary>Removes files of these names.</summary>
    /// <returns>Whether there were any.</returns>
    public static bool Remove(string folder, IReadOnlyList<string> names)
    {
        var there = names.Select(name => Path.Combine(folder, name)).Where(File.Exists).ToList();
        there.ForEach(File.Delete);
        return there.Count > 0;
    }
}
