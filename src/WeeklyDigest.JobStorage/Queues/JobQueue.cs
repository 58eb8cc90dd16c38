using System.Globalization;
using Hangfire.Storage.SQLite.Database;
using Hangfire.Storage.SQLite.Owners;

namespace Hangfire.Storage.SQLite.Queues;

/// <summary>Hands the entries of the queues to workers, each to one.</summary>
/// <param name="database">The database.</param>
/// <param name="leftovers">Lets go.</param>
/// <param name="owner">This process.</param>
/// <param name="clock">The clock.</param>
internal sealed class JobQueue(JobDatabase database, Leftovers leftovers, Owner owner, TimeProvider clock)
{
    // Nobody has to look this often: whoever waits is woken. In case a wake-up is lost to a failure we did not think of.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>Announced when there may be something to claim.</summary>
    public Signal Work { get; } = new();

    /// <summary>Claims the next entry, waiting for one.</summary>
    /// <param name="queues">Where to look: an entry of an earlier queue comes before all entries of the later ones.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public SQLiteFetchedJob Fetch(string[] queues, CancellationToken cancel)
    {
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var next = Work.Next;
            if (TryClaim(queues) is { } job) return job;
            Signal.Wait(next, LongestWait, cancel);
        }
    }

    /// <summary>Takes a worked-on entry away. Part of the caller's transaction.</summary>
    /// <returns>False when the claim was lost: the entry is another worker's now.</returns>
    public static bool Acknowledge(Session session, SQLiteFetchedJob job)
        => session["Acknowledge"].With("@entry", job.Entry).With("@stamp", job.Stamp).Run() > 0;

    /// <summary>Takes a worked-on entry away; does nothing when the claim was lost.</summary>
    public void Acknowledge(SQLiteFetchedJob job) => database.Write(session => Acknowledge(session, job));

    /// <summary>Gives an entry back, to the front of its queue; does nothing when the claim was lost.</summary>
    public void Requeue(SQLiteFetchedJob job)
    {
        leftovers.LetGo(session => session["Requeue"].With("@entry", job.Entry).With("@stamp", job.Stamp).Run());
        Work.Announce();
    }

    private SQLiteFetchedJob? TryClaim(string[] queues)
    {
        if (!database.Read(session => queues.Any(queue => session["AnyFree"].With("@queue", queue).Any()))) return null;
        return database.Write(session =>
        {
            var id = owner.IdIn(session);
            return queues.Select(queue => Claim(session, queue, id)).FirstOrDefault(job => job is not null);
        }, mustSurvivePowerFailure: false);
    }

    // If we die at this line, the entry is still free; after the commit it is ours, and given back when our death is noticed.
    private SQLiteFetchedJob? Claim(Session session, string queue, long ownerId)
    {
        using var rows = session["Claim"].With("@queue", queue).With("@owner", ownerId).With("@now", UnixTime.Now(clock)).Read();
        return rows.Next() ? new SQLiteFetchedJob(this, rows.Number(0), rows.Number(2), rows.Number(1).ToString(CultureInfo.InvariantCulture)) : null;
    }
}
