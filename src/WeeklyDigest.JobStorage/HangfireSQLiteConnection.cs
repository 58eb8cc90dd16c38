using Hangfire.Common;
using Hangfire.Server;
using Hangfire.Storage.SQLite.Database;
using Hangfire.Storage.SQLite.Jobs;
using Hangfire.Storage.SQLite.Locks;

namespace Hangfire.Storage.SQLite;

/// <summary>A caller's connection: it shares the storage's database connections and has locks of its own. Used by one thread at a time.</summary>
/// <param name="storage">The storage.</param>
internal sealed class HangfireSQLiteConnection(SQLiteStorage storage) : JobStorageConnection
{
    private readonly HeldLocks locks = new(storage.Locks);

    /// <inheritdoc/>
    public override void Dispose()
    {
        locks.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    public override IWriteOnlyTransaction CreateWriteTransaction() => new SQLiteWriteOnlyTransaction(storage, locks);

    /// <inheritdoc/>
    public override IDisposable AcquireDistributedLock(string resource, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(resource);
        storage.Watch.Start();
        return new HeldLocks.Handle(locks, locks.Take(resource, timeout));
    }

    /// <inheritdoc/>
    public override IFetchedJob FetchNextJob(string[] queues, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(queues);
        if (queues.Length == 0) throw new ArgumentException("There has to be a queue at least.", nameof(queues));
        storage.Watch.Start();
        return storage.Queue.Fetch(queues, cancellationToken);
    }

    /// <summary>Writes a job that nobody sees before it has a state: a power failure may take it back.</summary>
    public override string CreateExpiredJob(Job job, IDictionary<string, string?> parameters, DateTime createdAt, TimeSpan expireIn)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(parameters);
        var data = InvocationData.SerializeJob(job);
        return JobRows.Id(storage.Database.Write(session => JobRows.Add(session, null, data, parameters, createdAt, expireIn), mustSurvivePowerFailure: false));
    }

    /// <inheritdoc/>
    public override void SetJobParameter(string id, string name, string? value)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(name);
        if (JobRows.Id(id) is not { } job) return;
        storage.Database.TryWrite(session =>
        {
            JobRows.SetParameter(session, job, name, value);
            return true;
        });
    }

    /// <inheritdoc/>
    public override string? GetJobParameter(string id, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return OfJob(id, (session, job) => session["JobParameter"].With("@job", job).With("@name", name).Text());
    }

    /// <inheritdoc/>
    public override JobData? GetJobData(string jobId) => OfJob(jobId, JobRows.Find);

    /// <inheritdoc/>
    public override StateData? GetStateData(string jobId) => OfJob(jobId, JobRows.CurrentState);

    /// <inheritdoc/>
    public override void AnnounceServer(string serverId, ServerContext context)
    {
        ArgumentNullException.ThrowIfNull(serverId);
        ArgumentNullException.ThrowIfNull(context);
        storage.Watch.Start();
        var queues = SerializationHelper.Serialize(context.Queues ?? []);
        Write(session => session["AnnounceServer"].With("@server", serverId).With("@owner", storage.Owner.IdIn(session))
            .With("@queues", queues).With("@workers", context.WorkerCount).With("@now", Now).Run());
    }

    /// <inheritdoc/>
    public override void RemoveServer(string serverId)
    {
        ArgumentNullException.ThrowIfNull(serverId);
        Write(session => session["RemoveServer"].With("@server", serverId).Run());
    }

    /// <inheritdoc/>
    /// <exception cref="BackgroundServerGoneException">The server was removed: others took its process for dead.</exception>
    public override void Heartbeat(string serverId)
    {
        ArgumentNullException.ThrowIfNull(serverId);
        if (Write(session => session["Heartbeat"].With("@server", serverId).With("@now", Now).Run()) == 0) throw new BackgroundServerGoneException();
    }

    /// <inheritdoc/>
    public override int RemoveTimedOutServers(TimeSpan timeOut)
    {
        if (timeOut <= TimeSpan.Zero) throw new ArgumentException($"The time-out has to be over 0. Given: {timeOut}.", nameof(timeOut));
        return Write(session => session["RemoveSilentServers"].With("@before", Now - (long)timeOut.TotalMilliseconds).Run());
    }

    /// <inheritdoc/>
    public override DateTime GetUtcDateTime() => storage.Clock.GetUtcNow().UtcDateTime;

    /// <inheritdoc/>
    public override HashSet<string> GetAllItemsFromSet(string key) => [.. OfKey(key, session => session["SetItems"].With("@key", key).Texts())];

    /// <inheritdoc/>
    public override string? GetFirstByLowestScoreFromSet(string key, double fromScore, double toScore)
        => GetFirstByLowestScoreFromSet(key, fromScore, toScore, 1).FirstOrDefault();

    /// <inheritdoc/>
    public override List<string> GetFirstByLowestScoreFromSet(string key, double fromScore, double toScore, int count)
    {
        // The key first: Hangfire asks with none to find out whether this method is here.
        ArgumentNullException.ThrowIfNull(key);
        if (count <= 0) throw new ArgumentException($"The count has to be over 0. Given: {count}.", nameof(count));
        if (toScore < fromScore) throw new ArgumentException("The highest score must not be below the lowest.", nameof(toScore));
        return OfKey(key, session => session["SetLowest"].With("@key", key).With("@low", fromScore).With("@high", toScore).With("@count", count).Texts());
    }

    /// <inheritdoc/>
    public override long GetSetCount(string key) => OfKey(key, session => session["SetCount"].With("@key", key).Number() ?? 0);

    /// <inheritdoc/>
    public override long GetSetCount(IEnumerable<string> keys, int limit)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        return storage.Database.Read(session => keys.Distinct().Aggregate(0L, (count, key) => count < limit
            ? count + session["SetCountUpTo"].With("@key", key).With("@limit", limit - count).Number() ?? 0
            : count));
    }

    /// <inheritdoc/>
    public override bool GetSetContains(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return OfKey(key, session => session["SetContains"].With("@key", key).With("@value", value).Any());
    }

    /// <inheritdoc/>
    public override List<string> GetRangeFromSet(string key, int startingFrom, int endingAt) => Range("SetRange", key, startingFrom, endingAt);

    /// <inheritdoc/>
    public override TimeSpan GetSetTtl(string key) => TimeToLive("set", key);

    /// <inheritdoc/>
    public override void SetRangeInHash(string key, IEnumerable<KeyValuePair<string, string>> keyValuePairs)
    {
        using var transaction = CreateWriteTransaction();
        transaction.SetRangeInHash(key, keyValuePairs);
        transaction.Commit();
    }

    /// <inheritdoc/>
    public override Dictionary<string, string?>? GetAllEntriesFromHash(string key) => OfKey(key, session =>
    {
        using var rows = session["HashFields"].With("@key", key).Read();
        var fields = new Dictionary<string, string?>();
        while (rows.Next()) fields[rows.Text(0)] = rows.TextOrNull(1);
        return fields.Count > 0 ? fields : null;
    });

    /// <inheritdoc/>
    public override string? GetValueFromHash(string key, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return OfKey(key, session => session["HashValue"].With("@key", key).With("@field", name).Text());
    }

    /// <inheritdoc/>
    public override long GetHashCount(string key) => OfKey(key, session => session["HashCount"].With("@key", key).Number() ?? 0);

    /// <inheritdoc/>
    public override TimeSpan GetHashTtl(string key) => TimeToLive("hash", key);

    /// <inheritdoc/>
    public override long GetListCount(string key) => OfKey(key, session => session["ListCount"].With("@key", key).Number() ?? 0);

    /// <inheritdoc/>
    public override List<string> GetAllItemsFromList(string key) => Range("ListRange", key, 0, int.MaxValue);

    /// <inheritdoc/>
    public override List<string> GetRangeFromList(string key, int startingFrom, int endingAt) => Range("ListRange", key, startingFrom, endingAt);

    /// <inheritdoc/>
    public override TimeSpan GetListTtl(string key) => TimeToLive("list", key);

    /// <inheritdoc/>
    public override long GetCounter(string key) => OfKey(key, session => session["Counter"].With("@key", key).Number() ?? 0);

    private long Now => UnixTime.Now(storage.Clock);

    private int Write(Func<Session, int> work) => storage.Database.Write(work, mustSurvivePowerFailure: false);

    private T? OfJob<T>(string jobId, Func<Session, long, T?> look)
    {
        ArgumentNullException.ThrowIfNull(jobId);
        return JobRows.Id(jobId) is { } id ? storage.Database.Read(session => look(session, id)) : default;
    }

    private T OfKey<T>(string key, Func<Session, T> look)
    {
        ArgumentNullException.ThrowIfNull(key);
        return storage.Database.Read(look);
    }

    private List<string> Range(string statement, string key, int from, int to)
        => OfKey(key, session => session[statement].With("@key", key).With("@from", from).With("@count", PageSize.Of(from, to)).Texts());

    // Hangfire's sign for "never" is a negative time. What has expired and is not swept yet has no time left.
    private TimeSpan TimeToLive(string kind, string key)
        => OfKey(key, session => session["KeyExpiry"].With("@kind", kind).With("@key", key).Number()) is { } expires
            ? TimeSpan.FromMilliseconds(Math.Max(0, expires - Now))
            : TimeSpan.FromSeconds(-1);
}
