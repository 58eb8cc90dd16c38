using Hangfire.Storage.SQLite.Database;

namespace Hangfire.Storage.SQLite.Owners;

/// <summary>
/// Finds out which other processes are dead and lets go of what they held. Dead is who left its file unlocked, or who gave no sign of life
/// while we gave <see cref="BeatsOfALease"/>.
/// </summary>
/// <remarks>
/// A lease is counted in our own signs of life and not in time: while the machine sleeps, while the clock is set, or while another
/// program blocks all writers, nobody's lease runs.
/// </remarks>
/// <param name="database">The database.</param>
/// <param name="owner">This process.</param>
internal sealed class OwnerWatch(JobDatabase database, Owner owner)
{
    /// <summary>So often a process shows that it lives within one lease.</summary>
    public const int BeatsOfALease = 5;

    private Dictionary<string, (long Beat, int Silences)> seen = [];

    /// <summary>Lets go of what those held who left their file unlocked.</summary>
    /// <returns>How many others there are, and whether any of them died.</returns>
    public (int Others, bool Died) LookAtFiles()
    {
        var others = database.Read(Others);
        var dead = others.Where(other => OwnerFile.IsAbandoned(owner.Folder, other.Name)).ToList();
        foreach (var (name, _) in dead)
        {
            database.Write(session => session["RemoveOwner"].With("@name", name).Run(), mustSurvivePowerFailure: false);
            OwnerFile.Remove(owner.Folder, name);
        }
        return (others.Count - dead.Count, dead.Count > 0);
    }

    /// <summary>Gives a sign of life, counts the others', and lets go of what those held who have been silent for a lease.</summary>
    /// <returns>Whether any of them died.</returns>
    public bool Beat()
    {
        var (counted, died) = database.Write(session =>
        {
            // Who counts writes: a transaction that changes nothing is committed on a full disk as well, where nobody can show that it lives.
            if (session["Beat"].With("@name", owner.Name).Run() == 0) owner.IdIn(session);
            var counts = Others(session).ToDictionary(other => other.Name, Count);
            var dead = counts.Where(other => other.Value.Silences >= BeatsOfALease).Select(other => other.Key).ToList();
            foreach (var name in dead) session["RemoveOwner"].With("@name", name).Run();
            return (counts, dead.Count > 0);
        }, mustSurvivePowerFailure: false);
        // Not before it is committed: a sign of life that could not be given counts for nobody.
        seen = counted;
        return died;
    }

    private (long Beat, int Silences) Count((string Name, long Beat) other)
        => (other.Beat, seen.TryGetValue(other.Name, out var last) && last.Beat == other.Beat ? last.Silences + 1 : 0);

    private List<(string Name, long Beat)> Others(Session session)
    {
        using var rows = session["OtherOwners"].With("@name", owner.Name).Read();
        var others = new List<(string, long)>();
        while (rows.Next()) others.Add((rows.Text(0), rows.Number(1)));
        return others;
    }
}
