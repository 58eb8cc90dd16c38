namespace WeeklyDigest.Publishing;

/// <summary>
/// What is left of the domains of a mailing that are held back, and how fast it becomes less: the pace of all deliveries together says nothing of when
/// those are through. While no domain is held back nothing is asked of the ledger.
/// </summary>
/// <param name="mailingId">The mailing.</param>
/// <param name="mailings">Counts.</param>
/// <param name="gate">Knows who is held back.</param>
/// <param name="time">The clock.</param>
internal sealed class HeldBackDomains(long mailingId, IMailingStore mailings, DomainGate gate, TimeProvider time)
{
    /// <summary>So many are looked at: those that the settings name, then those of which most is under way or ready.</summary>
    private const int Most = 1000;

    /// <summary>The usual time of an answer is known this exactly: room that is not larger than the pace by more than that is no reason to expect it to grow.</summary>
    private const double Doubt = 1.25;

    private readonly Lock access = new();
    private readonly Dictionary<long, DomainDecline> watched = [];
    private HashSet<long> kept = [];

    /// <summary>What is left of them now.</summary>
    /// <param name="open">Rows of the mailing that are open.</param>
    /// <param name="usableFor">For how long the ledger could be used: the time before says nothing of their paces.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<DomainsLeft> ReadAsync(long open, TimeSpan usableFor, CancellationToken cancel)
    {
        var named = gate.Limited is { Count: > 0 } names ? await mailings.DomainIdsAsync(names, cancel) : [];
        var domains = gate.HeldBack(named, Kept(), Most);
        var rows = domains.Count > 0 ? await mailings.OpenRowsAsync(mailingId, [.. domains.Select(domain => domain.Id)], cancel) : [];
        lock (access) return Note(domains, rows, open, usableFor);
    }

    private HashSet<long> Kept()
    {
        lock (access) return kept;
    }

    private DomainsLeft Note(IReadOnlyList<HeldBackDomain> domains, IReadOnlyList<DomainRows> rows, long open, TimeSpan usableFor)
    {
        var byId = domains.ToDictionary(domain => domain.Id);
        foreach (var gone in watched.Keys.Except(rows.Select(row => row.DomainId)).ToList()) watched.Remove(gone);
        var held = rows.Sum(row => row.Open);
        // One that has nearly all of it is alone for most of the time.
        var left = rows.Select(row => Note(byId[row.DomainId], row, usableFor, isAlone: 4 * row.Open > 3 * held)).ToList();
        // With the others gone a slow one is not held back any more, but the pace of all is still largely theirs.
        kept = 2 * held >= open ? [.. rows.Select(row => row.DomainId)] : [];
        return new DomainsLeft(left, time.GetTimestamp());
    }

    private DomainLeft Note(HeldBackDomain domain, DomainRows rows, TimeSpan usableFor, bool isAlone)
    {
        if (!watched.TryGetValue(rows.DomainId, out var decline)) watched[rows.DomainId] = decline = new DomainDecline(time);
        var room = domain.Room is { } places ? Math.Min(domain.Allowed, isAlone ? places.Alone : places.BesideOthers) : (double?)null;
        var pace = decline.Pace(domain, rows, usableFor) ?? (decline.StandsStill ? null : room);
        return new DomainLeft(rows, pace, room > Doubt * pace ? room : pace, domain.OpensIn) { HasRate = domain.HasRate };
    }
}
