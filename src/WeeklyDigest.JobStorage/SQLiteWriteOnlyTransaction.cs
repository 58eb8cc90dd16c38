using Hangfire.Common;
using Hangfire.Logging;
using Hangfire.States;
using Hangfire.Storage.SQLite.Database;
using Hangfire.Storage.SQLite.Jobs;
using Hangfire.Storage.SQLite.Locks;
using Hangfire.Storage.SQLite.Queues;

namespace Hangfire.Storage.SQLite;

/// <summary>What a caller wants changed: remembered until <see cref="Commit"/>, which does all of it in one transaction of the database, or nothing.</summary>
/// <param name="storage">The storage.</param>
/// <param name="locks">The locks of the caller's connection.</param>
internal sealed class SQLiteWriteOnlyTransaction(SQLiteStorage storage, HeldLocks locks) : JobStorageTransaction
{
    private static readonly ILog Log = LogProvider.For<SQLiteStorage>();

    private readonly List<Action<Session>> changes = [];
    private readonly List<SQLiteFetchedJob> acknowledged = [];
    private readonly List<SQLiteDistributedLock> held = [];
    private bool enqueues;

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var mine in held) locks.Release(mine);
        held.Clear();
        base.Dispose();
    }

    /// <summary>Commits. A worker whose claim was lost changes nothing: the job is another worker's, and so is what becomes of it.</summary>
    /// <exception cref="DistributedLockTimeoutException">A lock of this transaction was lost; nothing was changed.</exception>
    /// <exception cref="SQLiteStorageException">The database refused; nothing was changed.</exception>
    public override void Commit()
    {
        var committed = storage.Database.TryWrite(Apply);
        foreach (var job in acknowledged) job.Settle();
        if (!committed)
        {
            Log.Warn($"The worker's claim on job {string.Join(", ", acknowledged.Select(job => job.JobId))} was lost: this process gave no sign of life for too long. What it wanted to note was dropped.");
            return;
        }
        foreach (var mine in held) locks.Forget(mine);
        held.Clear();
        if (enqueues) storage.Queue.Work.Announce();
    }

    /// <inheritdoc/>
    public override void AcquireDistributedLock(string resource, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(resource);
        storage.Watch.Start();
        held.Add(locks.Take(resource, timeout));
    }

    /// <inheritdoc/>
    public override string CreateJob(Job job, IDictionary<string, string?> parameters, DateTime createdAt, TimeSpan expireIn)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(parameters);
        var data = InvocationData.SerializeJob(job);
        var copy = parameters.ToArray();
        var id = storage.Database.Write(session => session["ReserveJobId"].Number()!.Value, mustSurvivePowerFailure: false);
        changes.Add(session => JobRows.Add(session, id, data, copy, createdAt, expireIn));
        return JobRows.Id(id);
    }

    /// <inheritdoc/>
    public override void SetJobParameter(string jobId, string name, string? value)
    {
        ArgumentNullException.ThrowIfNull(name);
        ChangeJob(jobId, (session, id) => JobRows.SetParameter(session, id, name, value));
    }

    /// <inheritdoc/>
    public override void ExpireJob(string jobId, TimeSpan expireIn)
    {
        var expires = UnixTime.After(storage.Clock, expireIn);
        ChangeJob(jobId, (session, id) => session["SetJobExpiry"].With("@job", id).With("@expires", expires).Run());
    }

    /// <inheritdoc/>
    public override void PersistJob(string jobId) => ChangeJob(jobId, (session, id) => session["SetJobExpiry"].With("@job", id).With("@expires", (long?)null).Run());

    /// <inheritdoc/>
    public override void SetJobState(string jobId, IState state) => AddState(jobId, state, isCurrent: true);

    /// <inheritdoc/>
    public override void AddJobState(string jobId, IState state) => AddState(jobId, state, isCurrent: false);

    /// <inheritdoc/>
    public override void AddToQueue(string queue, string jobId)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        enqueues = true;
        ChangeJob(jobId, (session, id) => session["Enqueue"].With("@queue", queue).With("@job", id).Run());
    }

    /// <inheritdoc/>
    public override void RemoveFromQueue(IFetchedJob fetchedJob)
    {
        ArgumentNullException.ThrowIfNull(fetchedJob);
        acknowledged.Add(fetchedJob as SQLiteFetchedJob ?? throw new ArgumentException($"A {fetchedJob.GetType().Name} is not from this storage.", nameof(fetchedJob)));
    }

    /// <inheritdoc/>
    public override void IncrementCounter(string key) => AddToCounter(key, 1, null);

    /// <inheritdoc/>
    public override void IncrementCounter(string key, TimeSpan expireIn) => AddToCounter(key, 1, expireIn);

    /// <inheritdoc/>
    public override void DecrementCounter(string key) => AddToCounter(key, -1, null);

    /// <inheritdoc/>
    public override void DecrementCounter(string key, TimeSpan expireIn) => AddToCounter(key, -1, expireIn);

    /// <inheritdoc/>
    public override void AddToSet(string key, string value) => AddToSet(key, value, 0);

    /// <inheritdoc/>
    public override void AddToSet(string key, string value, double score)
    {
        ArgumentNullException.ThrowIfNull(value);
        Change(key, session => session["AddToSet"].With("@key", key).With("@value", value).With("@score", score).Run());
    }

    /// <inheritdoc/>
    public override void AddRangeToSet(string key, IList<string> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Contains(null!)) throw new ArgumentException("The items must not be null.", nameof(items));
        foreach (var item in items) AddToSet(key, item, 0);
    }

    /// <inheritdoc/>
    public override void RemoveFromSet(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Change(key, session => session["RemoveFromSet"].With("@key", key).With("@value", value).Run());
    }

    /// <inheritdoc/>
    public override void RemoveSet(string key) => Change(key, session => session["RemoveSet"].With("@key", key).Run());

    /// <inheritdoc/>
    public override void ExpireSet(string key, TimeSpan expireIn) => Expire("ExpireSet", key, expireIn);

    /// <inheritdoc/>
    public override void PersistSet(string key) => Persist("set", key);

    /// <inheritdoc/>
    public override void InsertToList(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Change(key, session => session["InsertToList"].With("@key", key).With("@value", value).Run());
    }

    /// <inheritdoc/>
    public override void RemoveFromList(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Change(key, session => session["RemoveFromList"].With("@key", key).With("@value", value).Run());
    }

    /// <inheritdoc/>
    public override void TrimList(string key, int keepStartingFrom, int keepEndingAt)
        => Change(key, session => session["TrimList"].With("@key", key).With("@from", keepStartingFrom).With("@count", PageSize.Of(keepStartingFrom, keepEndingAt)).Run());

    /// <inheritdoc/>
    public override void ExpireList(string key, TimeSpan expireIn) => Expire("ExpireList", key, expireIn);

    /// <inheritdoc/>
    public override void PersistList(string key) => Persist("list", key);

    /// <inheritdoc/>
    public override void SetRangeInHash(string key, IEnumerable<KeyValuePair<string, string>> keyValuePairs)
    {
        ArgumentNullException.ThrowIfNull(keyValuePairs);
        foreach (var (field, value) in keyValuePairs.ToList())
            Change(key, session => session["SetHashField"].With("@key", key).With("@field", field).With("@value", value).Run());
    }

    /// <inheritdoc/>
    public override void RemoveHash(string key) => Change(key, session => session["RemoveHash"].With("@key", key).Run());

    /// <inheritdoc/>
    public override void ExpireHash(string key, TimeSpan expireIn) => Expire("ExpireHash", key, expireIn);

    /// <inheritdoc/>
    public override void PersistHash(string key) => Persist("hash", key);

    // If we die before this is committed, the claim is still ours, the job is given back and done again; after, it is done for good.
    private bool Apply(Session session)
    {
        foreach (var job in acknowledged)
            if (!JobQueue.Acknowledge(session, job)) return false;
        foreach (var (mine, times) in held.CountBy(mine => mine))
            if (mine.IsHeldOnly(times) && !LockTable.Release(session, mine.Id)) throw new DistributedLockTimeoutException(mine.Resource);
        foreach (var change in changes) change(session);
        return true;
    }

    private void Change(string key, Action<Session> change)
    {
        ArgumentNullException.ThrowIfNull(key);
        changes.Add(change);
    }

    private void ChangeJob(string jobId, Action<Session, long> change)
    {
        ArgumentNullException.ThrowIfNull(jobId);
        if (JobRows.Id(jobId) is { } id) changes.Add(session => change(session, id));
    }

    private void AddState(string jobId, IState state, bool isCurrent)
    {
        ArgumentNullException.ThrowIfNull(state);
        var row = StateRow.Of(state);
        var now = UnixTime.Now(storage.Clock);
        ChangeJob(jobId, (session, id) => JobRows.AddState(session, id, row, now, isCurrent));
    }

    private void AddToCounter(string key, long value, TimeSpan? expireIn)
    {
        var expires = expireIn is { } wait ? UnixTime.After(storage.Clock, wait) : (long?)null;
        Change(key, session => session["AddToCounter"].With("@key", key).With("@value", value).With("@expires", expires).Run());
    }

    private void Expire(string statement, string key, TimeSpan expireIn)
    {
        var expires = UnixTime.After(storage.Clock, expireIn);
        Change(key, session => session[statement].With("@key", key).With("@expires", expires).Run());
    }

    private void Persist(string kind, string key) => Change(key, session => session["Persist"].With("@kind", kind).With("@key", key).Run());
}
