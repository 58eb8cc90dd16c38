/// <summary>
/// Runs inside the measured program (DOTNET_STARTUP_HOOKS) and writes down ten times a second what only the program itself knows: how
/// much it has allocated, and its memory and processor time in the same line.
/// </summary>
internal static class StartupHook
{
    private const int EveryMilliseconds = 100;
    private static StreamWriter? file;
    private static Timer? timer;

    public static void Initialize()
    {
        // The program starts itself to compile templates; what is measured is the one that started it.
        if (Environment.GetCommandLineArgs().Contains("compile-templates")) return;
        if (Environment.GetEnvironmentVariable(WeeklyDigest.Benchmarks.Sample.FileVariable) is not { Length: > 0 } path) return;
        file = new StreamWriter(path) { AutoFlush = true };
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Write();
        timer = new Timer(_ => Write(), null, 0, EveryMilliseconds);
    }

    private static void Write()
    {
        var sample = WeeklyDigest.Benchmarks.Sample.Now();
        lock (file!) file.WriteLine(sample.ToLine());
    }
}
