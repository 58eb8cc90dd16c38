namespace WeeklyDigest;

/// <summary>Folders that nobody but the program's own user reads: they hold addresses, and links that unsubscribe or sign in.</summary>
public static class PrivateFolder
{
    /// <summary>Creates a folder and those above it that are missing, all of them private. One that is there stays as it is.</summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be created.</exception>
    public static DirectoryInfo Create(string path)
    {
        if (OperatingSystem.IsWindows()) return Directory.CreateDirectory(path);
        // The system call gives its mode to the last folder only.
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } above && !Directory.Exists(above)) Create(above);
        return Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
