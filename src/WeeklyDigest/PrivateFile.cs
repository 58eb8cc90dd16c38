using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WeeklyDigest;

/// <summary>Files whose content nobody but the program's own user can have written.</summary>
internal static class PrivateFile
{
    private const UnixFileMode Writers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // statx(2): the same layout on every processor.
    private const int EmptyPath = 0x1000;
    private const uint UserId = 0x8;
    private const int ResultSize = 256;
    private const int UserIdAt = 20;

    /// <summary>Options to create a file that only its owner reads.</summary>
    public static FileStreamOptions ToCreate()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Owner;
        return options;
    }

    /// <summary>
    /// Whether an open file belongs to the user this process runs as, and nobody else may write it. On Windows the rights of the folder
    /// decide; on Unix other than Linux only the second half is looked at.
    /// </summary>
    public static bool IsOurs(SafeFileHandle file)
    {
        if (OperatingSystem.IsWindows()) return true;
        return (File.GetUnixFileMode(file) & Writers) == 0 && (!OperatingSystem.IsLinux() || OwnerOf(file) == EffectiveUser());
    }

    private static uint? OwnerOf(SafeFileHandle file)
    {
        var result = new byte[ResultSize];
        return Status(file, [0], EmptyPath, UserId, result) == 0 ? BitConverter.ToUInt32(result, UserIdAt) : null;
    }

    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Status(SafeFileHandle file, byte[] path, int flags, uint mask, byte[] result);

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint EffectiveUser();
}
