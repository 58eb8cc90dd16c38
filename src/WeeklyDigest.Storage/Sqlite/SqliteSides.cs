using System.Runtime.InteropServices;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>
/// What SQLite keeps beside a database in use: its log, and the memory that processes share. It gives these the mode that the database has when they
/// are made. They are asked about by name and never opened: closing one would end the locks that this process has on it.
/// </summary>
internal static class SqliteSides
{
    private const int Write = 2;
    private const int ReadAndWrite = 6;
    private const int CurrentFolder = -100;
    private const uint InodeOnly = 0x100;
    private const int StatusSize = 256;
    private const int InodeAt = 32;

    private static bool hasNoNumbers = !OperatingSystem.IsLinux();

    /// <summary>Gives those the mode of the database that were made while it could only be read: whoever lets it be written again knows nothing of them.</summary>
    public static void Open(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        foreach (var side in Closed(path))
        {
            try
            {
                File.SetUnixFileMode(side, File.GetUnixFileMode(path));
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // Another user's, or gone meanwhile; SQLite says what follows from that.
            }
        }
    }

    /// <summary>Those that keep this user from a database whose own file would let it read and write.</summary>
    public static IReadOnlyList<string> Closed(string path)
        => OperatingSystem.IsWindows() || Access(path, ReadAndWrite) != 0 ? [] : [.. new[] { path + "-wal", path + "-shm" }.Where(side => File.Exists(side) && Access(side, ReadAndWrite) != 0)];

    /// <summary>Whether a database can be written in a folder that cannot: a process that died, or could not delete them, left all that would have to be made there.</summary>
    public static bool SpareFolder(string path)
        => !OperatingSystem.IsWindows() && Access(Path.GetDirectoryName(path)!, Write) != 0 && new[] { path, path + "-wal", path + "-shm" }.All(file => Access(file, ReadAndWrite) == 0);

    /// <summary>Whether nothing is in the log of a database: whoever opens one whose log is gone makes it anew.</summary>
    public static bool IsLogEmpty(string path) => new FileInfo(path + "-wal") is not { Exists: true, Length: > 0 };

    /// <summary>What tells a file from another of the same name, as far as the system says; null: it is not there.</summary>
    public static ulong? NumberOf(string path)
    {
        if (!hasNoNumbers)
        {
            try
            {
                Span<byte> status = stackalloc byte[StatusSize];
                return Status(CurrentFolder, path, 0, InodeOnly, ref status[0]) == 0 ? BitConverter.ToUInt64(status[InodeAt..]) : null;
            }
            catch (EntryPointNotFoundException)
            {
                hasNoNumbers = true;
            }
        }
        return File.Exists(path) ? 0 : null;
    }

    // Laid out alike on every machine, unlike stat.
    [DllImport("libc", EntryPoint = "statx", BestFitMapping = false)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Status(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, ref byte status);

    [DllImport("libc", EntryPoint = "access", BestFitMapping = false)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Access([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int mode);
}
