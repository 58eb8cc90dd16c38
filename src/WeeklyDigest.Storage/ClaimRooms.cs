using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Storage;

/// <summary>The room of receiving domains during one claim: it shrinks with each row, and what finds none is passed by.</summary>
/// <param name="rooms">The room at its start.</param>
internal sealed class ClaimRooms(DomainRooms rooms)
{
    private readonly HashSet<long> stopped = [];
    private readonly Dictionary<long, int> left = [];
    private readonly Dictionary<long, long> passed = [];

    /// <summary>Domains that the mailing leaves alone: none has room.</summary>
    public IReadOnlySet<long> Stopped => stopped;

    /// <summary>Whether a row was passed by; those of stopped domains do not count.</summary>
    public bool HasPassed { get; private set; }

    /// <summary>As <see cref="ClaimedRows.Passed"/>.</summary>
    public IReadOnlyDictionary<long, long> Passed => passed;

    /// <summary>Told of domains that the mailing leaves alone.</summary>
    public void Stop(params IEnumerable<long> domains) => stopped.UnionWith(domains);

    /// <summary>Whether a row of a domain may be taken, which then has less room.</summary>
    public bool Take(long domain)
    {
        if (stopped.Contains(domain)) return false;
        var room = left.TryGetValue(domain, out var rest) ? rest : rooms.Of(domain);
        left[domain] = Math.Max(0, room - 1);
        HasPassed |= room <= 0;
        return room > 0;
    }

    /// <summary>The same for a pending row, whose place is noted when it is passed by.</summary>
    public bool TakePending(long subscriber, long domain)
    {
        if (Take(domain)) return true;
        if (!stopped.Contains(domain)) passed.TryAdd(domain, subscriber - 1);
        return false;
    }
}
