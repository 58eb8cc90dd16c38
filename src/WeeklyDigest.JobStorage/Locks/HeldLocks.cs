namespace Hangfire.Storage.SQLite.Locks;

/// <summary>The locks of one connection. Used by one thread at a time, as a connection is.</summary>
/// <param name="table">The locks of the storage.</param>
internal sealed class HeldLocks(LockTable table) : IDisposable
{
    private readonly Dictionary<string, SQLiteDistributedLock> held = [];

    /// <summary>Takes a lock, or takes it again.</summary>
    /// <exception cref="DistributedLockTimeoutException">Another connection held it all that time.</exception>
    public SQLiteDistributedLock Take(string resource, TimeSpan timeout)
    {
        if (held.TryGetValue(resource, out var mine)) mine.Enter();
        else held[resource] = mine = new SQLiteDistributedLock(table, resource, table.Take(resource, timeout));
        return mine;
    }

    /// <summary>Lets go of a lock.</summary>
    public void Release(SQLiteDistributedLock mine)
    {
        if (mine.Exit()) held.Remove(mine.Resource);
    }

    /// <summary>A transaction has let go of a lock.</summary>
    public void Forget(SQLiteDistributedLock mine)
    {
        if (mine.Leave()) held.Remove(mine.Resource);
        table.Released.Announce();
    }

    /// <summary>Lets go of what is left.</summary>
    public void Dispose()
    {
        foreach (var mine in held.Values) table.Release(mine.Id);
        held.Clear();
    }

    /// <summary>Lets go of a lock when it is disposed of, once.</summary>
    internal sealed class Handle(HeldLocks locks, SQLiteDistributedLock mine) : IDisposable
    {
        private bool disposed;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (disposed) return;
            disposed = true;
            locks.Release(mine);
        }
    }
}
