using System.Runtime.InteropServices;

namespace WeeklyDigest.Storage;

/// <summary>Memory that native code has freed, and that the C library keeps for the next time.</summary>
internal static class FreedMemory
{
    /// <summary>
    /// Gives it back to the system: after a large import that is tens of MB, which a process that goes on sending does not need again. Where the C
    /// library is not glibc, it does so by itself or not at all.
    /// </summary>
    public static void GiveBack()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // musl.
        }
    }

    // malloc_trim(3): 1 when anything was given back.
    [DllImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Trim(nuint pad);
}
