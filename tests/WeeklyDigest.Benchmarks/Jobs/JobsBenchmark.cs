using System.CommandLine;
using System.Diagnostics;
using Hangfire;
using Hangfire.InMemory;
using Hangfire.Storage.SQLite;

namespace WeeklyDigest.Benchmarks.Jobs;

/// <summary>What a job costs in our storage and in Hangfire.InMemory: enqueued by several threads, worked on by several workers, and a server that waits.</summary>
internal static class JobsBenchmark
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var jobs = new Option<int>("--jobs") { Description = "Jobs per round.", DefaultValueFactory = _ => 10_000 };
        var threads = new Option<int>("--threads") { Description = "Threads that enqueue, and workers.", DefaultValueFactory = _ => 4 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; the medians count.", DefaultValueFactory = _ => 3 };
        var command = new Command("jobs", "Jobs enqueued and worked on per second, and what a server costs that waits, beside Hangfire.InMemory.") { jobs, threads, rounds };
        command.SetAction(parsed =>
        {
            var runs = Enumerable.Range(0, parsed.GetValue(rounds)).SelectMany(_ => Round(parsed.GetValue(jobs), parsed.GetValue(threads))).ToList();
            foreach (var storage in runs.GroupBy(run => run.Storage)) Print(storage.Key + ", median", storage.ToList());
        });
        return command;
    }

    private static IEnumerable<JobsRun> Round(int jobs, int threads)
    {
        using (var memory = new InMemoryStorage()) yield return Measure("InMemory", memory, jobs, threads);
        var folder = Directory.CreateTempSubdirectory("weeklydigest-benchmark-");
        using (var file = new SQLiteStorage(Path.Combine(folder.FullName, "jobs.db"))) yield return Measure("SQLite", file, jobs, threads);
        folder.Delete(recursive: true);
    }

    private static JobsRun Measure(string name, JobStorage storage, int jobs, int threads)
    {
        var enqueued = Stopwatch.StartNew();
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ => Enqueue(storage, jobs / threads));
        enqueued.Stop();
        using var server = new BackgroundJobServer(new BackgroundJobServerOptions { WorkerCount = threads, StopTimeout = TimeSpan.FromSeconds(5) }, storage);
        var worked = Stopwatch.StartNew();
        var total = jobs / threads * threads;
        while (storage.GetMonitoringApi().GetStatistics().Succeeded < total) Wait(TimeSpan.FromMilliseconds(20));
        worked.Stop();
        Wait(TimeSpan.FromSeconds(2));
        var before = Environment.CpuUsage.TotalTime;
        Wait(Idle);
        var run = new JobsRun(name, total / enqueued.Elapsed.TotalSeconds, total / worked.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - before) / Idle);
        Print(name, [run]);
        return run;
    }

    private static void Enqueue(JobStorage storage, int jobs)
    {
        var client = new BackgroundJobClient(storage);
        for (var i = 0; i < jobs; i++) client.Enqueue(() => Nothing.Do(i));
    }

    private static void Wait(TimeSpan time) => Task.Delay(time, TimeProvider.System).Wait();

    private static void Print(string name, IReadOnlyList<JobsRun> runs) => Console.WriteLine(FormattableString.Invariant(
        $"{name}: {Median(runs, run => run.Enqueued):f0} enqueued/s, {Median(runs, run => run.Worked):f0} worked on/s, waiting {Median(runs, run => run.IdleProcessor) * 100:f2} % of a core"));

    private static double Median(IReadOnlyList<JobsRun> runs, Func<JobsRun, double> value)
    {
        var sorted = runs.Select(value).Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}

/// <summary>A job that costs nothing itself.</summary>
public static class Nothing
{
    /// <summary>Does it.</summary>
    public static void Do(int number) => _ = number;
}

/// <summary>One round with one storage.</summary>
/// <param name="Storage">Its name.</param>
/// <param name="Enqueued">Jobs enqueued per second.</param>
/// <param name="Worked">Jobs worked on per second, states and all.</param>
/// <param name="IdleProcessor">Part of a core that a server takes which waits.</param>
internal sealed record JobsRun(string Storage, double Enqueued, double Worked, double IdleProcessor);
