using System.Runtime.InteropServices;

namespace WeeklyDigest.Server;

/// <summary>Memory outside the managed heap: what SQLite, OpenSSL and the runtime's own compiler take from the C library.</summary>
internal static class NativeHeap
{
    // mallopt(3).
    private const int MmapThreshold = -3;
    private const int ArenaMax = -8;
    private const int Arenas = 2;
    private const int LargeBlock = 32 * 1024;

    /// <summary>
    /// What is freed goes back to the system: threads share two arenas, where glibc would give eight for every processor, and larger blocks, as
    /// the compiler takes them for each method, are mapped and unmapped one by one. To be called before there are threads; does nothing where
    /// the C library is another.
    /// </summary>
    public static void KeepLittle()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = SetOption(ArenaMax, Arenas);
            _ = SetOption(MmapThreshold, LargeBlock);
        }
        catch (EntryPointNotFoundException)
        {
            // Not glibc.
        }
    }

    [DllImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetOption(int option, int value);
}
