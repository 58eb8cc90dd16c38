using System.Runtime.InteropServices;

namespace WeeklyDigest.Server;

/// <summary>Ends the process without asking anybody in it.</summary>
internal static class HardExit
{
    /// <summary>
    /// Ends it now. <see cref="Environment.Exit"/> runs what others have registered for the end first, and that may block: Hangfire's server waits another
    /// second for work that hangs in a database. Where there is no such call, that is how it ends all the same.
    /// </summary>
    /// <param name="code">The exit code.</param>
    public static void Now(int code)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS()) Exit(code);
        Environment.Exit(code);
    }

    // _exit(2).
    [DllImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void Exit(int status);
}
