using System.Runtime.InteropServices;

namespace WeeklyDigest.Server.Commands.Doctor;

/// <summary>What the kernel knows of its own clock (adjtimex(2); Linux only).</summary>
internal static class KernelClock
{
    private const int Unsynchronized = 5;

    /// <summary>Larger than the structure on any architecture; left at zero it asks and sets nothing.</summary>
    private const int StructureLength = 256;

    /// <summary>Whether a time source keeps the clock right; null when the kernel does not say.</summary>
    public static bool? IsKept()
    {
        if (!OperatingSystem.IsLinux()) return null;
        var state = Adjtimex(new byte[StructureLength]);
        return state < 0 ? null : state != Unsynchronized;
    }

    [DllImport("libc", EntryPoint = "adjtimex")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Adjtimex(byte[] structure);
}
