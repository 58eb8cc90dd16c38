namespace Hangfire.Storage.SQLite.Locks;

/// <summary>A lock that a connection holds, as often as it asked for it: whoever holds a lock gets it again.</summary>
/// <param name="table">The locks.</param>
/// <param name="resource">What is locked.</param>
/// <param name="id">The lock's id.</param>
internal sealed class SQLiteDistributedLock(LockTable table, string resource, long id)
{
    private int holders = 1;

    /// <summary>What is locked.</summary>
    public string Resource => resource;

    /// <summary>The lock's id.</summary>
    public long Id => id;

    /// <summary>Whether it is held so often only, so that the transaction that took it so often may let go of it.</summary>
    public bool IsHeldOnly(int times) => holders == times;

    /// <summary>Held once more.</summary>
    public void Enter() => holders++;

    /// <summary>Held once less, without a word to the database.</summary>
    /// <returns>Whether it is not held any more.</returns>
    public bool Leave() => holders > 0 && --holders == 0;

    /// <summary>Held once less; with the last holder the lock goes.</summary>
    /// <returns>Whether it is not held any more.</returns>
    public bool Exit()
    {
        if (!Leave()) return false;
        table.Release(id);
        return true;
    }
}
