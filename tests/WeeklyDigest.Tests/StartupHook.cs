/// <summary>
/// Runs inside a program that a test starts with DOTNET_STARTUP_HOOKS, and writes down at its end its command, the most memory it ever had
/// (bytes) and what was loaded into it: a file for each process in the folder that the environment names.
/// </summary>
internal static class StartupHook
{
    public const string FolderVariable = "WEEKLYDIGEST_LOADED";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is not { Length: > 0 } folder) return;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.WriteAllLines(
            Path.Combine(folder, $"{Environment.ProcessId}"),
            [Environment.GetCommandLineArgs()[1], Peak(), .. AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name!)]);
    }

    private static string Peak()
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.PeakWorkingSet64.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
