using System.Runtime.InteropServices;

namespace WeeklyDigest;

/// <summary>Files that end. Whoever opens a pipe waits until somebody else writes to it, and a device may never end.</summary>
public static class RegularFile
{
    // statx(2): the same layout on every processor.
    private const int CurrentFolder = -100;
    private const uint Kind = 0x1;
    private const int ResultSize = 256;
    private const int ModeAt = 28;
    private const int KindBits = 0xF000;

    /// <summary>Opens a file to read it; what is none is not opened.</summary>
    /// <exception cref="IOException">Behind the path, or behind the link at it, is something else, or it cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static FileStream OpenRead(string path) => OtherAt(path) is { } other ? throw new IOException($"It is {other}, and no regular file.") : File.OpenRead(path);

    /// <summary>What is at a path, or behind the link at it, that is neither a regular file nor a folder; null also when that cannot be told, which is so on other systems than Linux.</summary>
    public static string? OtherAt(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            var result = new byte[ResultSize];
            return Status(CurrentFolder, path, 0, Kind, result) == 0 ? Name(BitConverter.ToUInt16(result, ModeAt) & KindBits) : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    private static string? Name(int kind) => kind switch
    {
        0x1000 => "a pipe",
        0xC000 => "a socket",
        0x2000 or 0x6000 => "a device",
        _ => null,
    };

    [DllImport("libc", EntryPoint = "statx", BestFitMapping = false)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Status(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] result);
}
