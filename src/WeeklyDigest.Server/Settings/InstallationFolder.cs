using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Settings;

/// <summary>Finds the folder of the installation, from which relative paths count, and the settings file in it.</summary>
/// <param name="Root">The folder, absolute. Never a published program's example: the next upgrade would replace what its owner changed.</param>
/// <param name="File">Its appsettings.json, or the shipped one when it has none.</param>
/// <param name="ProgramHome">The folder of the shipped templates: the repository's root, or <c>example</c> beside the published program.</param>
internal sealed record InstallationFolder(string Root, string File, string ProgramHome)
{
    private const string SettingsFile = "appsettings.json";

    /// <summary>
    /// The current folder when it holds appsettings.json or issues/; else the nearest folder above it that holds both; else the
    /// nearest such folder at or above the program, as in a clone.
    /// </summary>
    /// <param name="current">The current folder.</param>
    /// <param name="program">Where the program's files stand.</param>
    /// <exception cref="RefusedException">There is none, or it is the example; says how to make one.</exception>
    public static InstallationFolder Find(string current, string program)
    {
        var (root, example) = (Nearest(current, program), ExampleOf(program));
        if (root is not null && root != example) return At(root, program);
        var what = root is null ? $"{Path.GetFullPath(current)} holds neither {SettingsFile} nor issues/" : $"{root} belongs to the program, and an upgrade replaces it";
        throw new RefusedException($"{what}. Start the command in the folder of your newsletter. A new one begins as a copy: cp -r {example} FOLDER");
    }

    /// <summary>As <see cref="Find"/>, and where that finds none the example: for what changes nothing in it.</summary>
    /// <param name="current">The current folder.</param>
    /// <param name="program">Where the program's files stand.</param>
    public static InstallationFolder FindOrExample(string current, string program) => At(Nearest(current, program) ?? ExampleOf(program), program);

    private static InstallationFolder At(string root, string program)
    {
        var example = ExampleOf(program);
        var home = Directory.Exists(example) ? example : Around(program) ?? root;
        var file = new[] { root, home }.Select(folder => Path.Combine(folder, SettingsFile)).FirstOrDefault(System.IO.File.Exists);
        return new InstallationFolder(root, file ?? Path.Combine(root, SettingsFile), home);
    }

    private static string? Nearest(string current, string program)
        => HoldsSettings(current) || HoldsIssues(current) ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(current)) : Around(current) ?? Around(program);

    private static string? Around(string folder) => Upwards(folder).FirstOrDefault(at => HoldsSettings(at) && HoldsIssues(at));

    private static string ExampleOf(string program) => Path.Combine(Path.GetFullPath(program), "example");

    private static bool HoldsSettings(string folder) => System.IO.File.Exists(Path.Combine(folder, SettingsFile));

    private static bool HoldsIssues(string folder) => Directory.Exists(Path.Combine(folder, "issues"));

    private static IEnumerable<string> Upwards(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent) yield return Path.TrimEndingDirectorySeparator(at.FullName);
    }
}
