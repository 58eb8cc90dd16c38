using System.Globalization;

namespace WeeklyDigest.Server;

/// <summary>SIGHUP: the terminal or the session that the program was started from is gone.</summary>
internal static class HangUp
{
    private const string Ignored = "SigIgn:";

    /// <summary>Whether whoever started it, such as nohup, wants it to be ignored: it has to stay so.</summary>
    public static bool IsIgnored { get; } = OperatingSystem.IsLinux() && IsFirst(File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Ignored, StringComparison.Ordinal)));

    // A mask of signals in hexadecimal; SIGHUP is 1, the lowest bit (proc(5), signal(7)).
    private static bool IsFirst(string? line)
        => line is not null && ulong.TryParse(line.AsSpan(Ignored.Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var mask) && (mask & 1) != 0;
}
