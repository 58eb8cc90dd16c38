using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Where the rows begin that claims have passed by for want of room: before its domain's place, none is left that this run could claim. A
/// thousand domains at most; what is passed by of others waits for the next round.
/// </summary>
internal sealed class PassedRows
{
    private const int MostDomains = 1000;

    private readonly Dictionary<long, long> places = [];
    private readonly Dictionary<long, long> turns = [];
    private long turn;

    /// <summary>Whether there is anything to return to.</summary>
    public bool Any => places.Count > 0;

    /// <summary>The room of those domains that have some and a limit: the others get what they want anyway.</summary>
    /// <param name="rooms">The room of all.</param>
    /// <param name="stopped">Domains that the mailing leaves alone.</param>
    public Dictionary<long, int> Limited(DomainRooms rooms, IReadOnlySet<long> stopped)
        => places.Keys.Where(domain => !stopped.Contains(domain) && rooms.Of(domain) is > 0 and < int.MaxValue).ToDictionary(domain => domain, rooms.Of);

    /// <summary>The first place of a domain that has no limit any more; null when there is none.</summary>
    /// <param name="rooms">The room of all.</param>
    /// <param name="stopped">Domains that the mailing leaves alone.</param>
    public long? FirstUnlimited(DomainRooms rooms, IReadOnlySet<long> stopped)
    {
        long? first = null;
        foreach (var (domain, place) in places)
            if (!(place >= first) && rooms.Of(domain) == int.MaxValue && !stopped.Contains(domain)) first = place;
        return first;
    }

    /// <summary>Where the rows begin of the domain that has waited longest for a turn.</summary>
    /// <param name="domains">Those that may have one.</param>
    public long? Next(IReadOnlyDictionary<long, int> domains)
    {
        var waiting = domains.Keys.Where(places.ContainsKey).ToList();
        if (waiting.Count == 0) return null;
        var next = waiting.MinBy(domain => turns.GetValueOrDefault(domain));
        turns[next] = ++turn;
        return places[next];
    }

    /// <summary>Notes what a look gave for the domains whose rows begin where it was: those that it has passed by begin there now, the others further on.</summary>
    /// <param name="after">Where it began.</param>
    /// <param name="look">What it gave.</param>
    /// <param name="isAhead">Whether the round comes to what is further on by itself.</param>
    public void Note(long after, ClaimedRows look, bool isAhead)
    {
        // Rows that were due came first, and were enough.
        if (look.Looked == 0 && look.Deliveries.Count > 0) return;
        foreach (var (domain, place) in places.Where(entry => entry.Value >= after && (look.Next == 0 || entry.Value < look.Next)).ToList())
        {
            if (look.Passed.TryGetValue(domain, out var first)) places[domain] = first;
            else if (isAhead || look.Next == 0) Forget(domain);
            else places[domain] = look.Next;
        }
    }

    /// <summary>Notes where rows of a domain have been passed by, or given back.</summary>
    public void Add(long domain, long place)
    {
        if (places.TryGetValue(domain, out var before)) places[domain] = Math.Min(before, place);
        else if (places.Count < MostDomains) places[domain] = place;
    }

    private void Forget(long domain)
    {
        places.Remove(domain);
        turns.Remove(domain);
    }
}
