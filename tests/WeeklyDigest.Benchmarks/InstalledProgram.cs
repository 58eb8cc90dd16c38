using System.Runtime.InteropServices;

namespace WeeklyDigest.Benchmarks;

/// <summary>The program as docs/running.md installs it: published from the clone, once for all that one run of the benchmarks starts.</summary>
internal static class InstalledProgram
{
    private static readonly Lazy<string> Published = new(Publish);

    /// <summary>The program's path.</summary>
    /// <exception cref="InvalidOperationException">It cannot be published; says what dotnet wrote.</exception>
    public static string Path => Published.Value;

    /// <summary>The root of the clone that the benchmarks were built in.</summary>
    /// <exception cref="InvalidOperationException">They were copied out of it.</exception>
    public static string Clone()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(System.IO.Path.Combine(at.FullName, "WeeklyDigest.sln"))) return at.FullName;
        throw new InvalidOperationException("The benchmarks have to run from within the clone.");
    }

    private static string Publish()
    {
        var folder = System.IO.Path.Combine(AppContext.BaseDirectory, "installed");
        Figures.Print($"publishing the program to {folder}");
        Processes.RunAsync(
            "dotnet", "publish", System.IO.Path.Combine(Clone(), "src", "WeeklyDigest.Server"), "-c", "Release",
            "-r", RuntimeInformation.RuntimeIdentifier, "-o", folder, "-v", "quiet", "-nodeReuse:false").GetAwaiter().GetResult();
        return System.IO.Path.Combine(folder, "weeklydigest");
    }
}
