using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>What a claim left.</summary>
internal enum ClaimRest
{
    /// <summary>Claim again: more may be there.</summary>
    More,

    /// <summary>Rows of domains without room; a whole round found no others.</summary>
    PassedOver,

    /// <summary>A whole round found nothing.</summary>
    Nothing,
}

/// <summary>
/// The claims of one run: round by round through the pending rows, each from where the one before stopped, past those whose domain has no room
/// or is stopped.
/// </summary>
/// <remarks>
/// With 900,000 rows of one slow domain and 100,000 others, a round finds the others within a second, at the cost of an index walk. When a
/// round found hardly any, looking is rationed: little is looked at in each claim, and a whole round made now and then.
/// </remarks>
/// <param name="run">The run.</param>
internal sealed class ClaimRounds(RunParts run)
{
    /// <summary>One row in so many looked at has to be found, or the claim was a thin one.</summary>
    private const int Thin = 20;

    private const int ShortLook = 1000;
    private static readonly TimeSpan RoundEvery = TimeSpan.FromSeconds(10);

    private readonly HashSet<long> stopsOfOurs = [];
    private readonly HashSet<long> stopsTold = [];
    private IReadOnlySet<long> stopsInLedger = new HashSet<long>();
    private volatile IReadOnlySet<long> stopped = new HashSet<long>();
    private long after;
    private long roundFound;
    private long roundLooked;
    private bool roundPassed;
    private bool isThin;
    private long thinSince;

    /// <summary>The domains that the mailing leaves alone.</summary>
    public IReadOnlySet<long> Stopped => stopped;

    /// <summary>Told that the mailing leaves a domain alone, as soon as it is known: the ledger tells with the next claim.</summary>
    public void StopDomain(long domain)
    {
        lock (stopsOfOurs)
        {
            if (stopsOfOurs.Add(domain)) stopped = stopped.Append(domain).ToHashSet();
        }
    }

    /// <summary>Told that the ledger has answered what it was told of a domain's stop: from the next claim on its word counts.</summary>
    public void NoteToldOfStop(long domain)
    {
        lock (stopsOfOurs) stopsTold.Add(domain);
    }

    /// <summary>Claims once.</summary>
    public async Task<(IReadOnlyList<Delivery> Claimed, ClaimRest Left)> ClaimAsync(int count)
    {
        var isShort = isThin && run.Time.GetElapsedTime(thinSince) < RoundEvery;
        var started = run.Time.GetTimestamp();
        var request = Request(count, isShort ? ShortLook : ClaimRequest.MaxLook);
        var settled = Settled();
        // Dying after the commit leaves the rows claimed; whoever recovers our owner gives them back.
        var claimed = await run.Writer.InTurnAsync(ledger => ledger.ClaimAsync(request, CancellationToken.None)).WaitAsync(run.Stop.RecordToken);
        var took = run.Time.GetElapsedTime(started);
        NoteStops(claimed.Stopped, settled);
        if (Note(claimed) is { } rest) return (claimed.Deliveries, rest);
        if (claimed.Deliveries.Count * Thin >= claimed.Looked) return (claimed.Deliveries, ClaimRest.More);
        if (isShort && claimed.Deliveries.Count == 0) return (claimed.Deliveries, ClaimRest.PassedOver);
        // Half of the time at most is spent on looking past rows, and the ledger is free for the others in the other half.
        await Task.WhenAny(Task.Delay(took, run.Time, run.Stop.Token));
        return (claimed.Deliveries, ClaimRest.More);
    }

    private ClaimRequest Request(int count, int look)
    {
        var claimant = run.Lease.Claimant();
        return new ClaimRequest(run.MailingId, count, claimant) { After = after, Rooms = run.Domains.Rooms(run.Sessions.Utf8Waits), Look = look, PostponeTo = claimant.Now + run.Options.FirstRetryAfter };
    }

    /// <summary>Notes what a claim gave.</summary>
    /// <returns>What a whole round left, when this was its end; else null.</returns>
    private ClaimRest? Note(ClaimedRows claimed)
    {
        after = claimed.Next;
        roundFound += claimed.Deliveries.Count;
        roundLooked += claimed.Looked;
        roundPassed |= claimed.PassedOver;
        if (after > 0) return null;
        var rest = roundFound > 0 ? ClaimRest.More : roundPassed ? ClaimRest.PassedOver : ClaimRest.Nothing;
        isThin = roundPassed && roundFound * Thin < roundLooked;
        thinSince = run.Time.GetTimestamp();
        (roundFound, roundLooked, roundPassed) = (0, 0, false);
        return rest;
    }

    /// <summary>The stops of ours on which the ledger's word counts from now on.</summary>
    private List<long> Settled()
    {
        lock (stopsOfOurs)
        {
            List<long> settled = [.. stopsTold];
            stopsTold.Clear();
            return settled;
        }
    }

    // What this run stopped counts until the ledger was told; what it does not confirm then, or the editor lifted, is forgotten: a domain that is stopped
    // here and not there would be claimed and given back without an end.
    private void NoteStops(IReadOnlySet<long> inLedger, List<long> settled)
    {
        foreach (var lifted in stopsInLedger.Union(settled).Except(inLedger)) run.Refusals.Forget(lifted);
        stopsInLedger = inLedger;
        lock (stopsOfOurs)
        {
            stopsOfOurs.ExceptWith(inLedger);
            stopsOfOurs.ExceptWith(settled);
            stopped = stopsOfOurs.Count == 0 ? inLedger : stopsOfOurs.Union(inLedger).ToHashSet();
        }
    }
}
