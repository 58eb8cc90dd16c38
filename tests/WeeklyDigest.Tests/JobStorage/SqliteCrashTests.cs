using Hangfire;
using Hangfire.States;
using WeeklyDigest.JobWorker;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>Worker processes that are killed at random, or stopped and let go on.</summary>
public sealed class SqliteCrashTests
{
    private const int Workers = 4;
    private const double DefaultLease = 15;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("WEEKLYDIGEST_SCALE") == "full";

    [Fact]
    public async Task Killed_at_random_no_job_is_lost_and_none_runs_beside_itself()
    {
        var (jobs, kills) = IsFull ? (5000, 40) : (300, 3);
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var place = new WorkerProcesses();
        var client = new BackgroundJobClient(place.Storage);
        var processes = new[] { place.Start(DefaultLease, Workers, "default"), place.Start(DefaultLease, Workers, "default") };
        foreach (var process in processes) await process.PrintedAsync("working", Limit);
        var ids = Enumerable.Range(1, jobs).Select(i => client.Enqueue(() => NotedJobs.RunAsync(i, random.Next(1, IsFull && i % 1000 == 0 ? 20_000 : 30)))).ToList();

        for (var kill = 1; kill <= kills; kill++)
        {
            var done = jobs * (kill - 1) / kills + random.Next(jobs / kills / 2);
            await Eventually.HoldsAsync(() => place.Storage.GetMonitoringApi().SucceededListCount() >= done, $"{done} jobs are done", Limit);
            var victim = random.Next(processes.Length);
            place.Kill(processes[victim]);
            processes[victim] = place.Start(DefaultLease, Workers, "default");
        }
        await Eventually.HoldsAsync(() => place.Storage.GetMonitoringApi().SucceededListCount() == jobs, "all jobs succeeded", Limit);

        var log = place.Log();
        Assert.Equal(kills, log.Count(note => note.What == "kill"));
        Assert.Empty(BesideThemselves(log));
        Assert.Equal(Enumerable.Range(1, jobs), log.Where(note => note.What == "end").Select(note => note.Job).Distinct().Order());
        using var connection = place.Storage.GetConnection();
        Assert.All(ids, id => Assert.Equal(SucceededState.StateName, connection.GetJobData(id).State));
        Assert.Equal((0L, 0L), (place.Storage.GetMonitoringApi().EnqueuedCount("default"), place.Storage.GetMonitoringApi().FetchedCount("default")));
        var again = log.Count(note => note.What == "start") - jobs;
        TestContext.Current.TestOutputHelper!.WriteLine($"{jobs} jobs, {kills} kills, {again} jobs begun again");
        Assert.InRange(again, 0, kills * Workers);
    }

    [Fact]
    public async Task A_job_of_a_killed_process_is_begun_again_within_seconds()
    {
        using var place = new WorkerProcesses();
        using var first = place.Start(DefaultLease, 1, "default");
        await first.PrintedAsync("working", Limit);
        var id = new BackgroundJobClient(place.Storage).Enqueue(() => NotedJobs.WaitAsync(1, place.FileNamed("go")));
        await place.NotedAsync("start", 1, first.Id);
        var second = place.Start(DefaultLease, 1, "default");
        await second.PrintedAsync("working", Limit);
        var killed = TimeProvider.System.GetTimestamp();
        place.Kill(first);
        await place.NotedAsync("start", 1, second.Id);
        // It is one look of the other process, a second; the rest is for a machine that is busy. The lease would be 15.
        Assert.InRange(TimeProvider.System.GetElapsedTime(killed), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        await File.WriteAllTextAsync(place.FileNamed("go"), "", TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => State(place, id) == SucceededState.StateName, "the job succeeds", Limit);
    }

    [Fact]
    public async Task A_process_that_was_stopped_for_a_lease_and_goes_on_changes_nothing()
    {
        const double Lease = 2;
        using var place = new WorkerProcesses();
        var client = new BackgroundJobClient(place.Storage);
        var first = place.Start(Lease, 1, "first", "default");
        await first.PrintedAsync("working", Limit);
        var id = client.Enqueue(() => NotedJobs.WaitAsync(1, place.FileNamed("go")));
        await place.NotedAsync("start", 1, first.Id);
        first.Pause();
        var second = place.Start(Lease, 1, "default");
        await place.NotedAsync("start", 1, second.Id);
        await File.WriteAllTextAsync(place.FileNamed("go"), "", TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => State(place, id) == SucceededState.StateName, "the job succeeds", Limit);
        var history = place.Storage.GetMonitoringApi().JobDetails(id).History.Count;

        first.Continue();
        await place.NotedAsync("end", 1, first.Id);
        // Its only worker takes the next job when it is through with this one.
        var next = client.Create(() => NotedJobs.RunAsync(2, 0), new EnqueuedState("first"));
        await place.NotedAsync("end", 2, first.Id);
        await Eventually.HoldsAsync(() => State(place, next) == SucceededState.StateName, "the next job succeeds", Limit);
        Assert.Equal(history, place.Storage.GetMonitoringApi().JobDetails(id).History.Count);
        Assert.Equal(2, place.Storage.GetMonitoringApi().SucceededListCount());
    }

    private static string? State(WorkerProcesses place, string id)
    {
        using var connection = place.Storage.GetConnection();
        return connection.GetJobData(id)?.State;
    }

    // Started while another process that lives had begun and not ended it; or ended by one that had lost it.
    private static List<WorkNote> BesideThemselves(IEnumerable<WorkNote> log)
    {
        var killed = new HashSet<int>();
        var holders = new Dictionary<int, int>();
        var wrong = new List<WorkNote>();
        foreach (var note in log)
        {
            var isHeld = holders.TryGetValue(note.Job, out var holder);
            if (note.What == "kill") killed.Add(note.Process);
            else if (note.What == "start" && isHeld && !killed.Contains(holder)) wrong.Add(note);
            else if (note.What == "end" && (!isHeld || holder != note.Process)) wrong.Add(note);
            if (note.What == "start") holders[note.Job] = note.Process;
            if (note.What == "end") holders.Remove(note.Job);
        }
        return wrong;
    }
}
