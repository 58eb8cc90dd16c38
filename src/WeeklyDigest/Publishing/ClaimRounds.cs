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
/// round found hardly any, looking is rationed: little is looked at in each claim, and a whole round made now and then. What was passed by
/// does not wait for the next round, which may begin only when all others are sent: a domain with a limit is returned to when it has room, and one
/// whose limit has gone is claimed before the round goes on.
/// </remarks>
/// <param name="run">The run.</param>
internal sealed class ClaimRounds(RunParts run)
{
    /// <summary>One row in so many looked at has to be found, or the claim was a thin one.</summary>
    private const int Thin = 20;

    private const int ShortLook = 1000;

    /// <summary>Domains returned to at a time.</summary>
    private const int MostReturns = 8;

    private static readonly TimeSpan RoundEvery = TimeSpan.FromSeconds(10);

    /// <summary>How often domains with a limit are returned to: a domain has room for what it can use in a second.</summary>
    public static readonly TimeSpan ReturnEvery = TimeSpan.FromMilliseconds(250);

    private readonly PassedRows passed = new();
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
    private long returnedAt;
    private long? foundNoneAt;
    private bool wereOthersOnly;

    /// <summary>Whether there are rows to return to.</summary>
    public bool HasPassed => passed.Any;

    /// <summary>Whether another claim finds nothing yet: the last one found none but rows of domains without room, a moment ago.</summary>
    /// <param name="othersOnly">Whether nothing may be of domains that are held back.</param>
    public bool IsInVain(bool othersOnly)
        => foundNoneAt is { } at && run.Time.GetElapsedTime(at) < ReturnEvery && (othersOnly || !wereOthersOnly) && passed.FirstUnlimited(run.Domains.Rooms(othersOnly: othersOnly), stopped) is null;

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
    /// <param name="count">So many at most.</param>
    /// <param name="othersOnly">Whether nothing may be of domains that are held back.</param>
    public async Task<(IReadOnlyList<Delivery> Claimed, ClaimRest Left)> ClaimAsync(int count, bool othersOnly)
    {
        var rooms = run.Domains.Rooms(run.Sessions.Utf8Waits, othersOnly);
        var unlimited = passed.FirstUnlimited(rooms, stopped);
        // What is behind the round; to what is ahead it comes by itself.
        var isAside = unlimited < after;
        var isShort = unlimited is null && isThin && run.Time.GetElapsedTime(thinSince) < RoundEvery;
        var started = run.Time.GetTimestamp();
        var request = Request(count, rooms) with { After = isAside ? unlimited!.Value : after, Look = isShort ? ShortLook : ClaimRequest.MaxLook };
        var claimed = await ClaimAsync(request);
        var took = run.Time.GetElapsedTime(started);
        NotePassed(request.After, claimed, isAhead: !isAside || claimed.Next >= after);
        var rest = isAside ? null : Note(claimed, isShort);
        (foundNoneAt, wereOthersOnly) = (rest == ClaimRest.PassedOver ? run.Time.GetTimestamp() : null, othersOnly);
        if (rest is not null) return (claimed.Deliveries, rest.Value);
        // Half of the time at most is spent on looking past rows, and the ledger is free for the others in the other half.
        if (claimed.Deliveries.Count * Thin < claimed.Looked) await Task.WhenAny(Task.Delay(took, run.Time, run.Stop.Token));
        return (claimed.Deliveries, ClaimRest.More);
    }

    /// <summary>Claims what was passed by of domains with a limit that have room now, when it is time to: a few domains, each from where its rows begin.</summary>
    /// <param name="count">So many at most.</param>
    public async IAsyncEnumerable<IReadOnlyList<Delivery>> ReturnAsync(int count)
    {
        if (!passed.Any || run.Time.GetElapsedTime(returnedAt) < ReturnEvery) yield break;
        returnedAt = run.Time.GetTimestamp();
        var open = passed.Limited(run.Domains.Rooms(), stopped);
        var look = ClaimRequest.MaxLook;
        for (var returns = 0; returns < MostReturns && look > 0 && count > 0 && !run.Stop.IsRequested && passed.Next(open) is { } place; returns++)
        {
            var claimed = await ClaimAsync(Request(Math.Min(count, open.Values.Sum()), new DomainRooms(0, open)) with { After = place, Look = look, PendingOnly = true });
            passed.Note(place, claimed, isAhead: false);
            foreach (var delivery in claimed.Deliveries)
                if (--open[delivery.DomainId] == 0) open.Remove(delivery.DomainId);
            look -= Math.Max(1, claimed.Looked);
            count -= claimed.Deliveries.Count;
            yield return claimed.Deliveries;
        }
    }

    /// <summary>Notes what goes back to be claimed again.</summary>
    public void NoteBack(IReadOnlyList<Delivery> deliveries)
    {
        foreach (var delivery in deliveries.Where(delivery => !stopped.Contains(delivery.DomainId))) passed.Add(delivery.DomainId, delivery.Id.SubscriberId - 1);
    }

    private ClaimRequest Request(int count, DomainRooms rooms)
    {
        var claimant = run.Lease.Claimant();
        return new ClaimRequest(run.MailingId, count, claimant) { Rooms = rooms, PostponeTo = claimant.Now + run.Options.FirstRetryAfter };
    }

    private async Task<ClaimedRows> ClaimAsync(ClaimRequest request)
    {
        var settled = Settled();
        // Dying after the commit leaves the rows claimed; whoever recovers our owner gives them back.
        var claimed = await run.Writer.InTurnAsync(ledger => ledger.ClaimAsync(request, CancellationToken.None)).WaitAsync(run.Stop.RecordToken);
        NoteStops(claimed.Stopped, settled);
        return claimed;
    }

    private void NotePassed(long from, ClaimedRows claimed, bool isAhead)
    {
        passed.Note(from, claimed, isAhead);
        foreach (var (domain, place) in claimed.Passed) passed.Add(domain, place);
    }

    /// <summary>Notes what a claim of the round gave.</summary>
    /// <returns>What was left, when this was the round's end, or one that is not gone on with at once; else null.</returns>
    private ClaimRest? Note(ClaimedRows claimed, bool isShort)
    {
        after = claimed.Next;
        roundFound += claimed.Deliveries.Count;
        roundLooked += claimed.Looked;
        roundPassed |= claimed.PassedOver;
        if (after > 0) return isShort && claimed.Deliveries.Count == 0 ? ClaimRest.PassedOver : null;
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
