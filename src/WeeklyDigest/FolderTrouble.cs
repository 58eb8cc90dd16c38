namespace WeeklyDigest;

/// <summary>Why the program cannot write in a folder.</summary>
/// <param name="What">The folder and what is wrong with it, without a full stop.</param>
/// <param name="Remedy">What to do, without a full stop.</param>
public sealed record FolderTrouble(string What, string Remedy)
{
    // EROFS of Linux, macOS and BSD; ERROR_WRITE_PROTECT of Windows.
    private const int ReadOnly = 30;
    private const int WriteProtected = unchecked((int)0x80070013);

    // ENOSPC and EDQUOT of Linux; ERROR_DISK_FULL of Windows.
    private const int NoSpaceLeft = 28;
    private const int OverQuota = 122;
    private const int DiskFull = unchecked((int)0x80070070);

    /// <summary>
    /// What to do, as a sentence. Another place is a remedy only as long as nothing was kept at this one: the program would begin anew there, and send to
    /// everybody what it no longer knows to be sent.
    /// </summary>
    /// <param name="data">The folder of all that is kept.</param>
    /// <param name="place">What sets another.</param>
    public string Advice(string data, string place = "Paths:Data to another folder") => IsUnused(data) ? $"{Remedy}, or for a new installation set {place}." : $"{Remedy}.";

    /// <summary>Whether a failure says that the disk is full, or this user's share of it.</summary>
    public static bool IsFullDisk(Exception failure) => failure is IOException { HResult: NoSpaceLeft or OverQuota or DiskFull };

    /// <summary>The same for a folder whose files the program has to open as well.</summary>
    /// <param name="folder">The folder; it need not be there.</param>
    /// <param name="access">What it has to do with the files that are in it.</param>
    /// <returns>Null when all of that can be done.</returns>
    public static FolderTrouble? Of(string folder, FileAccess access)
    {
        if (Of(folder) is { } trouble) return trouble;
        if (!Directory.Exists(folder)) return null;
        var place = folder;
        try
        {
            foreach (var path in Directory.EnumerateFiles(folder)) Try(place = path, access);
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return new FolderTrouble($"the user {Environment.UserName} may not {(access.HasFlag(FileAccess.Write) ? "read and write" : "read")} {place}", "Let that user do so");
        }
    }

    // One that another process has locked is not ours to judge, and one that is gone meanwhile is no trouble.
    private static void Try(string path, FileAccess access)
    {
        try
        {
            new FileStream(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete).Dispose();
        }
        catch (IOException) { }
    }

    /// <summary>Tries it with a file that is gone at once; where there is no such folder, in the one above that would get it.</summary>
    /// <returns>Null when it can be written.</returns>
    public static FolderTrouble? Of(string folder)
    {
        var place = Path.GetFullPath(folder);
        while (!Directory.Exists(place) && Path.GetDirectoryName(place) is { } above)
        {
            if (File.Exists(place)) return new FolderTrouble($"{place} is a file, where a folder has to be", "Move it away");
            place = above;
        }
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, Options = FileOptions.DeleteOnClose };
            new FileStream(Path.Combine(place, $"probe-{Guid.NewGuid():n}.tmp"), options).Dispose();
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return new FolderTrouble($"the user {Environment.UserName} may not write in the folder {place}", "Let that user write there");
        }
        catch (IOException failure) when (failure.HResult is ReadOnly or WriteProtected)
        {
            return new FolderTrouble($"the folder {place} is mounted read-only", "Mount it so that it can be written");
        }
        catch (IOException failure) when (IsFullDisk(failure))
        {
            return new FolderTrouble($"the disk with the folder {place} is full", "Make room on it");
        }
        catch (IOException failure)
        {
            return new FolderTrouble($"nothing can be written in the folder {place} ({failure.Message})", "Make that possible");
        }
    }

    private static bool IsUnused(string folder)
    {
        try
        {
            return !Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
