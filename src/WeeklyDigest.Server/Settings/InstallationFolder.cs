namespace WeeklyDigest.Server.Settings;

/// <summary>Finds the folder of the installation, from which relative paths count, and the settings file in it.</summary>
/// <param name="Root">The folder, absolute.</param>
/// <param name="File">Its appsettings.json, or the shipped one when it has none.</param>
/// <param name="ProgramHome">The folder of the shipped templates: the repository's root, or where the program was published to.</param>
internal sealed record InstallationFolder(string Root, string File, string ProgramHome)
{
    private const string SettingsFile = "appsettings.json";

    /// <summary>
    /// The current folder when it holds appsettings.json or issues/; else the nearest folder above it that holds both; else the
    /// program's own.
    /// </summary>
    /// <param name="current">The current folder.</param>
    /// <param name="program">Where the program's files stand.</param>
    public static InstallationFolder Find(string current, string program)
    {
        var home = Upwards(program).FirstOrDefault(IsComplete) ?? Path.GetFullPath(program);
        var root = HoldsSettings(current) || HoldsIssues(current)
            ? Path.GetFullPath(current)
            : Upwards(current).FirstOrDefault(folder => HoldsSettings(folder) && HoldsIssues(folder)) ?? home;
        var file = new[] { root, home, program }.Select(folder => Path.Combine(folder, SettingsFile)).FirstOrDefault(System.IO.File.Exists);
        return new InstallationFolder(root, file ?? Path.Combine(root, SettingsFile), home);
    }

    // A build copies appsettings.json beside the program but no templates: the repository's root, further up, is the one meant.
    private static bool IsComplete(string folder) => HoldsSettings(folder) && Directory.Exists(Path.Combine(folder, "templates"));

    private static bool HoldsSettings(string folder) => System.IO.File.Exists(Path.Combine(folder, SettingsFile));

    private static bool HoldsIssues(string folder) => Directory.Exists(Path.Combine(folder, "issues"));

    private static IEnumerable<string> Upwards(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent) yield return Path.TrimEndingDirectorySeparator(at.FullName);
    }
}
