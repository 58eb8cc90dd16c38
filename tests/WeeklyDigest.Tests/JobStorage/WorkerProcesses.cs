using System.Diagnostics;
using System.Globalization;
using Hangfire.Storage.SQLite;
using WeeklyDigest.JobWorker;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>Processes that work on one job database, and the log of what they did.</summary>
internal sealed class WorkerProcesses : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<RunningProgram> running = [];

    public WorkerProcesses()
    {
        Directory.CreateDirectory(LogFolder);
        WorkLog.Open(LogFolder);
        Storage = new SQLiteStorage(Database);
    }

    /// <summary>The storage, as this process has it.</summary>
    public SQLiteStorage Storage { get; }

    private string Database => folder.File("jobs.db");

    private string LogFolder => folder.File("logs");

    /// <summary>The path of a file beside the database.</summary>
    public string FileNamed(string name) => folder.File(name);

    /// <summary>Starts a process.</summary>
    public RunningProgram Start(double leaseSeconds, int workers, params string[] queues)
    {
        var program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "WeeklyDigest.JobWorker.exe" : "WeeklyDigest.JobWorker");
        string[] arguments = [Database, LogFolder, leaseSeconds.ToString(CultureInfo.InvariantCulture), workers.ToString(CultureInfo.InvariantCulture), .. queues];
        var process = new RunningProgram(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true });
        running.Add(process);
        return process;
    }

    /// <summary>Kills a process, and notes it just before: whoever takes a job over afterwards does so from a dead process.</summary>
    public void Kill(RunningProgram process)
    {
        WorkLog.Note("kill", 0, process.Id);
        process.Kill();
        process.Dispose();
        running.Remove(process);
    }

    /// <summary>What happened so far, in all processes, in its order.</summary>
    public IReadOnlyList<WorkNote> Log() => [.. Directory.GetFiles(LogFolder).SelectMany(Lines).Select(line => line.Split(' '))
        .OrderBy(parts => long.Parse(parts[0], CultureInfo.InvariantCulture))
        .Select(parts => new WorkNote(parts[1], int.Parse(parts[2], CultureInfo.InvariantCulture), int.Parse(parts[3], CultureInfo.InvariantCulture)))];

    /// <summary>Waits until something was noted.</summary>
    public Task NotedAsync(string what, int job, int process)
        => Eventually.HoldsAsync(() => Log().Contains(new WorkNote(what, job, process)), $"{what} of job {job} in process {process}", TimeSpan.FromMinutes(2));

    // Without the last line when it is being written.
    private static IEnumerable<string> Lines(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n')[..^1];
    }

    public void Dispose()
    {
        foreach (var process in running) process.Dispose();
        Storage.Dispose();
        folder.Dispose();
    }
}

/// <summary>A line of the log.</summary>
/// <param name="What">start, end or kill.</param>
/// <param name="Job">The job's number.</param>
/// <param name="Process">The process.</param>
internal sealed record WorkNote(string What, int Job, int Process);
