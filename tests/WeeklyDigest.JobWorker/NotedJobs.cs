namespace WeeklyDigest.JobWorker;

/// <summary>Jobs that note when they start and when they end.</summary>
public static class NotedJobs
{
    /// <summary>A job that takes a while.</summary>
    public static async Task RunAsync(int number, int milliseconds)
    {
        WorkLog.Note("start", number);
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System);
        WorkLog.Note("end", number);
    }

    /// <summary>A job that ends when a file is there.</summary>
    public static async Task WaitAsync(int number, string file)
    {
        WorkLog.Note("start", number);
        while (!File.Exists(file)) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        WorkLog.Note("end", number);
    }
}
