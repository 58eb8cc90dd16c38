namespace WeeklyDigest.Publishing;

/// <summary>What was left of a held back domain when the ledger was read.</summary>
/// <param name="Rows">Its open rows.</param>
/// <param name="Pace">Rows in a second while others go as well; null when unknown.</param>
/// <param name="Later">Rows in a second once the others are gone; never less.</param>
/// <param name="OpensIn">How long until the next one might go.</param>
internal sealed record DomainLeft(DomainRows Rows, double? Pace, double? Later, TimeSpan OpensIn)
{
    /// <summary>Whether it has a rate: then the next one goes as soon as it opens, and the pace tells how long the others after that take.</summary>
    public bool HasRate { get; init; }

    /// <summary>Rows left by now, in its pace since.</summary>
    /// <param name="elapsed">Seconds since the reading.</param>
    public double After(double elapsed) => Math.Max(0, Rows.Open - ((Pace ?? 0) * Math.Max(0, elapsed - OpensIn.TotalSeconds)));

    /// <summary>Seconds from now until it is through; infinity when unknown.</summary>
    /// <param name="elapsed">Seconds since the reading.</param>
    /// <param name="others">Seconds from now until the others are gone.</param>
    public double Seconds(double elapsed, double others)
    {
        if (Later is not > 0) return double.PositiveInfinity;
        var rows = Math.Max(0, After(elapsed) - (HasRate ? 1 : 0));
        // For the limit waits only what nobody holds yet.
        var closed = HasRate && Rows.Pending + Rows.Deferred == 0 ? 0 : Math.Max(0, OpensIn.TotalSeconds - elapsed);
        var beside = Math.Max(0, others - closed);
        var meanwhile = Pace is > 0 ? rows / Pace.Value : double.PositiveInfinity;
        return closed + (meanwhile <= beside ? meanwhile : beside + ((rows - (Pace ?? 0) * beside) / Later.Value));
    }
}

/// <summary>What was left of all held back domains of a mailing when the ledger was read.</summary>
/// <param name="domains">Those of them that have open rows.</param>
/// <param name="readAt">When, on the monotonic clock.</param>
internal sealed class DomainsLeft(IReadOnlyList<DomainLeft> domains, long readAt)
{
    /// <summary>No domain is held back.</summary>
    public static readonly DomainsLeft None = new([], 0);

    /// <summary>How many rows of them are left by now.</summary>
    /// <param name="time">The clock.</param>
    public double Rows(TimeProvider time) => domains.Sum(domain => domain.After(Elapsed(time)));

    /// <summary>Seconds from now until all of them are through; 0 when there are none, infinity when nothing can be said.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="open">Rows of the mailing that are open: a few of them that nobody knows of do not keep an end from being told, the more part does.</param>
    /// <param name="others">Seconds until all others are gone.</param>
    public double Seconds(TimeProvider time, double open, double others)
    {
        var unknown = domains.Where(domain => domain.Later is not > 0).Sum(domain => domain.Rows.Waiting);
        if (unknown > 0 && 2 * unknown >= open) return double.PositiveInfinity;
        return domains.Where(domain => domain.Later is > 0).Select(domain => domain.Seconds(Elapsed(time), others)).DefaultIfEmpty(0).Max();
    }

    private double Elapsed(TimeProvider time) => time.GetElapsedTime(readAt).TotalSeconds;
}
