using System.Globalization;
using System.Text;

namespace WeeklyDigest.JobWorker;

/// <summary>What this process did: a file of its own in a folder that it shares with others, each line one write with the machine's monotonic time.</summary>
public static class WorkLog
{
    private static readonly Lock Gate = new();
    private static FileStream? file;

    /// <summary>Opens the file of this process in a folder.</summary>
    public static void Open(string folder)
    {
        file?.Dispose();
        file = new FileStream(Path.Combine(folder, $"{Environment.ProcessId}.log"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    }

    /// <summary>Adds a line: what happened to a job in this process.</summary>
    public static void Note(string what, int job) => Note(what, job, Environment.ProcessId);

    /// <summary>Adds a line about another process.</summary>
    public static void Note(string what, int job, int process)
    {
        lock (Gate)
        {
            var line = string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetTimestamp()} {what} {job} {process}\n");
            file!.Write(Encoding.ASCII.GetBytes(line));
        }
    }
}
