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

    private readonly Dictionary<string, (long Beat, int Silences)> seen = [];

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
    public bool Beat() => database.Write(session =>
    {
        session["Beat"].With("@name", owner.Name).Run();
        var others = Others(session);
        foreach (var gone in seen.Keys.Except(others.Select(other => other.Name)).ToList()) seen.Remove(gone);
        foreach (var (name, beat) in others) seen[name] = (beat, seen.TryGetValue(name, out var last) && last.Beat == beat ? last.Silences + 1 : 0);
        var dead = others.Where(other => seen[other.Name].Silences >= BeatsOfALease).ToList();
        foreach (var (name, _) in dead) session["RemoveOwner"].With("@name", name).Run();
        return dead.Count > 0;
    }, mustSurvivePowerFailure: false);

    private List<(string Name, long Beat)> Others(Session session)
    {
        using var rows = session["OtherOwners"].With("@name", owner.Name).Read();
        var others = new List<(string, long)>();
        while (rows.Next()) others.Add((rows.Text(0), rows.Number(1)));
        return others;
    }
}
