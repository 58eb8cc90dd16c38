using Hangfire.Storage.SQLite.Database;
using Hangfire.Storage.SQLite.Owners;
using Hangfire.Storage.SQLite.Queues;

namespace Hangfire.Storage.SQLite.Locks;

/// <summary>Locks that exclude each other among all processes on the database. A lock lasts until it is released or its process is dead.</summary>
/// <param name="database">The database.</param>
/// <param name="leftovers">Lets go.</param>
/// <param name="owner">This process.</param>
/// <param name="clock">Measures how long somebody waits.</param>
internal sealed class LockTable(JobDatabase database, Leftovers leftovers, Owner owner, TimeProvider clock)
{
    // Another process's release is noticed by looking; one of this process wakes.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Announced when a lock may be free.</summary>
    public Signal Released { get; } = new();

    /// <summary>Takes a lock, waiting for it.</summary>
    /// <param name="resource">What is locked.</param>
    /// <param name="timeout">How long to wait; 0 or less: not at all.</param>
    /// <returns>The lock's id.</returns>
    /// <exception cref="DistributedLockTimeoutException">Somebody else held it all that time.</exception>
    public long Take(string resource, TimeSpan timeout)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            var next = Released.Next;
            if (TryTake(resource) is { } id) return id;
            var left = timeout - clock.GetElapsedTime(started);
            if (left <= TimeSpan.Zero) throw new DistributedLockTimeoutException(resource);
            Signal.Wait(next, left < LookInterval ? left : LookInterval, CancellationToken.None);
        }
    }

    /// <summary>Lets go of a lock; does nothing when it is lost.</summary>
    public void Release(long id)
    {
        leftovers.LetGo(session => Release(session, id));
        Released.Announce();
    }

    /// <summary>Lets go of a lock as part of the caller's transaction.</summary>
    /// <returns>False when it was lost: others took this process for dead.</returns>
    public static bool Release(Session session, long id) => session["ReleaseLock"].With("@lock", id).Run() > 0;

    private long? TryTake(string resource)
    {
        if (database.Read(session => session["IsLocked"].With("@resource", resource).Any())) return null;
        return database.Write(session => session["TakeLock"].With("@resource", resource).With("@owner", owner.IdIn(session)).RunForId(), mustSurvivePowerFailure: false);
    }
}
