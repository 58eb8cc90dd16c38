namespace WeeklyDigest.Publishing;

/// <summary>A file that somebody names, whatever it is. A pipe gives what its writer writes, at his pace, and once: it is copied first, so that nothing that others need waits for him.</summary>
internal static class GivenFile
{
    private const int PortionSize = 64 * 1024;

    /// <summary>Opens it, or a copy of what comes out of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="copies">The folder for a copy, which is gone with the stream, and with the process however that ends.</param>
    /// <param name="cancel">Gives up at once.</param>
    /// <exception cref="IOException">It cannot be read, or not be copied.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or not be copied.</exception>
    public static async Task<FileStream> OpenReadAsync(string path, string copies, CancellationToken cancel)
    {
        // To open a pipe takes until somebody writes to it.
        var file = await Task.Run(() => File.OpenRead(path), CancellationToken.None).WaitAsync(cancel);
        if (file.CanSeek) return file;
        await using (file) return await CopyAsync(file, copies, cancel);
    }

    private static async Task<FileStream> CopyAsync(FileStream source, string folder, CancellationToken cancel)
    {
        var copy = Create(folder);
        try
        {
            var portion = new byte[PortionSize];
            while (await ReadAsync(source, portion, cancel) is > 0 and var count) await copy.WriteAsync(portion.AsMemory(0, count), cancel);
            copy.Position = 0;
            return copy;
        }
        catch
        {
            await copy.DisposeAsync();
            throw;
        }
    }

    // No token ends a read of a pipe: it is left to itself.
    private static Task<int> ReadAsync(FileStream source, byte[] portion, CancellationToken cancel)
        => Task.Run(() => source.Read(portion), CancellationToken.None).WaitAsync(cancel);

    private static FileStream Create(string folder)
    {
        PrivateFolder.Create(folder);
        var options = PrivateFile.ToCreate();
        (options.Access, options.Options) = (FileAccess.ReadWrite, FileOptions.DeleteOnClose);
        var path = Path.Combine(folder, $"copy-{Guid.NewGuid():n}.tmp");
        var copy = new FileStream(path, options);
        // Windows does that when the process is gone.
        if (!OperatingSystem.IsWindows()) File.Delete(path);
        return copy;
    }
}
