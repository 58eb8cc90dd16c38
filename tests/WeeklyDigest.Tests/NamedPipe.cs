using System.Runtime.InteropServices;

namespace WeeklyDigest.Tests;

/// <summary>Pipes that have a name among files. Whoever opens one to read waits until somebody opens it to write.</summary>
internal static class NamedPipe
{
    // Its owner reads and writes it.
    private const uint Mode = 0x180;

    /// <summary>Makes one; on Unix alone.</summary>
    public static void Make(string path) => Assert.Equal(0, MakePipe(path, Mode));

    [DllImport("libc", EntryPoint = "mkfifo", BestFitMapping = false)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MakePipe([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint mode);
}
