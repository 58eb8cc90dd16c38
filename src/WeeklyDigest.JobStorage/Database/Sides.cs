using System.Runtime.InteropServices;

namespace Hangfire.Storage.SQLite.Database;

/// <summary>
/// What SQLite keeps beside a database in use: its log, and the memory that processes share. It gives these the mode that the database has when they
/// are made. They are asked about by name and never opened: closing one would end the locks that this process has on it.
/// </summary>
internal static class Sides
{
    private const int ReadAndWrite = 6;

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

    [DllImport("libc", EntryPoint = "access", BestFitMapping = false)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Access([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int mode);
}
