namespace WeeklyDigest.Publishing;

/// <summary>
/// Spreads messages over the relays of a process by weight: a relay waits while one of a larger weight keeps up and has had less than its
/// share. Relays of equal weight do not wait for each other: each takes what its connections and its rate allow.
/// </summary>
/// <remarks>
/// Shares are counted in messages divided by weight, from when a relay began to take part: one that was away does not get afterwards
/// what it missed.
/// </remarks>
/// <param name="relays">All relays.</param>
internal sealed class RelayShares(IReadOnlyList<RelayState> relays)
{
    private readonly Lock gate = new();

    /// <summary>Whether the weights differ at all.</summary>
    public bool Matter { get; } = relays.Select(relay => relay.Weight).Distinct().Count() > 1;

    /// <summary>Takes a message of a relay's share, for a message that is about to be sent.</summary>
    /// <returns>False while it has to wait for another relay.</returns>
    public bool TryTake(RelayState relay)
    {
        if (!Matter) return true;
        lock (gate)
        {
            if (IsAhead(relay)) return false;
            Add(relay);
            return true;
        }
    }

    /// <summary>Takes a message of a relay's share although it may be another's turn: only this one carries it.</summary>
    public void Take(RelayState relay)
    {
        if (!Matter) return;
        lock (gate) Add(relay);
    }

    /// <summary>Gives one back that was not used.</summary>
    public void GiveBack(RelayState relay)
    {
        if (!Matter) return;
        lock (gate) relay.Position -= 1.0 / relay.Weight;
    }

    /// <summary>Which relay is next: the smallest, first.</summary>
    public double Order(RelayState relay)
    {
        if (!Matter) return relay.Load;
        lock (gate) return relay.Position + (1.0 / relay.Weight);
    }

    private void Add(RelayState relay)
    {
        if (relay.IsAway) relay.Position = relays.Max(other => other.Position);
        relay.IsAway = false;
        relay.Position += 1.0 / relay.Weight;
    }

    private bool IsAhead(RelayState relay)
    {
        var isAhead = false;
        foreach (var other in relays)
        {
            if (other.Weight <= relay.Weight) continue;
            other.IsAway |= !other.KeepsUp;
            isAhead |= !other.IsAway && other.Position < relay.Position;
        }
        return isAhead;
    }
}
