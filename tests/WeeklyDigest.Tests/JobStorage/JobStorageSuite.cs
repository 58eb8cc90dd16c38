using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;

namespace WeeklyDigest.Tests.JobStorage;

/// <summary>A place where a test's job storage lives; gone with it.</summary>
public interface IJobStoragePlace : IDisposable
{
    /// <summary>Opens the storage; called once.</summary>
    Hangfire.JobStorage Open();

    /// <summary>Features that Hangfire can do without and this storage does not have; each with its reason where it is named.</summary>
    IReadOnlyCollection<string> Lacks => [];

    /// <summary>Where it differs from ours; each with its reason where it is named.</summary>
    IReadOnlyCollection<JobStorageHabit> Differs => [];
}

/// <summary>What every test of a job storage has: a new storage in its own place, asked through Hangfire's public contract only. One suite serves every storage.</summary>
public abstract class JobStorageSuite<TPlace> : IDisposable where TPlace : IJobStoragePlace, new()
{
    private readonly TPlace place = new();

    protected JobStorageSuite()
    {
        Storage = place.Open();
        Connection = (JobStorageConnection)Storage.GetConnection();
        Monitor = Storage.GetMonitoringApi();
    }

    private protected Hangfire.JobStorage Storage { get; }

    private protected JobStorageConnection Connection { get; }

    private protected IMonitoringApi Monitor { get; }

    /// <summary>What the dashboard asks only of a storage that says it has it.</summary>
    private protected JobStorageMonitor WiderMonitor => (JobStorageMonitor)Monitor;

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private protected static DateTime Now => TimeProvider.System.GetUtcNow().UtcDateTime;

    public virtual void Dispose()
    {
        Connection.Dispose();
        (Storage as IDisposable)?.Dispose();
        place.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Whether the storage has a feature; what it says of itself has to be true.</summary>
    private protected bool Has(string feature)
    {
        Assert.Equal(!place.Lacks.Contains(feature), Storage.HasFeature(feature));
        return Storage.HasFeature(feature);
    }

    /// <summary>Whether the storage behaves like ours there.</summary>
    private protected bool Does(JobStorageHabit habit) => !place.Differs.Contains(habit);

    private protected static Job Job(string argument = "x") => Hangfire.Common.Job.FromExpression(() => SampleJobs.Say(argument));

    /// <summary>A job without a state.</summary>
    private protected string Create(Job? job = null, params (string Name, string? Value)[] parameters)
        => Connection.CreateExpiredJob(job ?? Job(), parameters.ToDictionary(pair => pair.Name, pair => pair.Value), Now, TimeSpan.FromHours(1));

    /// <summary>Changes things in one transaction.</summary>
    private protected void Commit(Action<JobStorageTransaction> changes)
    {
        using var transaction = (JobStorageTransaction)Connection.CreateWriteTransaction();
        changes(transaction);
        transaction.Commit();
    }

    /// <summary>A job in a queue.</summary>
    private protected string Enqueue(string queue = "default", Job? job = null)
    {
        var id = Create(job);
        Commit(transaction =>
        {
            transaction.SetJobState(id, new EnqueuedState(queue));
            transaction.PersistJob(id);
            transaction.AddToQueue(queue, id);
        });
        return id;
    }

    /// <summary>A job in a state.</summary>
    private protected string InState(IState state)
    {
        var id = Create();
        Commit(transaction => transaction.SetJobState(id, state));
        return id;
    }

    /// <summary>The next job of the queues; there has to be one.</summary>
    private protected IFetchedJob Fetch(params string[] queues)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        return Connection.FetchNextJob(queues.Length > 0 ? queues : ["default"], limit.Token);
    }

    private protected static void Close(DateTime expected, DateTime? actual)
        => Assert.InRange(actual!.Value, expected.AddSeconds(-5), expected.AddSeconds(30));
}

/// <summary>What the jobs of the suite do.</summary>
public static class SampleJobs
{
    public static void Say(string text) => _ = text;

    public static string Answer(string text) => text + "!";

    public static void Fail(string text) => throw new InvalidOperationException(text);

    [AutomaticRetry(Attempts = 0)]
    public static void FailForGood(string text) => throw new InvalidOperationException(text);
}

/// <summary>The state of a job that a worker has; Hangfire lets nobody else make its own.</summary>
internal sealed class InProcessing : IState
{
    public string Name => ProcessingState.StateName;

    public string? Reason => null;

    public bool IsFinal => false;

    public bool IgnoreJobLoadException => false;

    public Dictionary<string, string> SerializeData() => new() { ["ServerId"] = "server-1", ["WorkerId"] = "worker-1", ["StartedAt"] = JobHelper.SerializeDateTime(TimeProvider.System.GetUtcNow().UtcDateTime) };
}
