namespace WeeklyDigest.Publishing;

/// <summary>How many connections a relay allows, as far as it has shown by refusing more. One more is tried a minute later, or a second where it allowed more a moment ago. Under the pool's lock.</summary>
/// <param name="time">The clock.</param>
internal sealed class ConnectionLimit(TimeProvider time)
{
    private const int None = int.MaxValue;
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    /// <summary>A relay may count a connection for a moment longer than it lasts, and refuse the one that follows it.</summary>
    private static readonly TimeSpan ShortRest = TimeSpan.FromSeconds(1);

    private int limit = None;
    private TimeSpan rest;
    private long refusedAt;
    private string reason = "";

    /// <summary>How many there may be now.</summary>
    public int Value => limit == None || IsResting ? limit : limit + 1;

    /// <summary>What is said while no more are tried, or null.</summary>
    public string? Notice => limit != None && IsResting ? $"{reason} It goes on over {limit} connection{(limit == 1 ? "" : "s")}; now and then one more is tried." : null;

    private bool IsResting => time.GetElapsedTime(refusedAt) < rest;

    /// <summary>One could not be opened.</summary>
    /// <param name="open">How many are open; at least one.</param>
    /// <param name="why">In the relay's words.</param>
    public void Refused(int open, string why)
    {
        rest = limit != None && open < limit ? ShortRest : Rest;
        (limit, refusedAt, reason) = (open, time.GetTimestamp(), why);
    }

    /// <summary>One was opened.</summary>
    /// <returns>Whether the relay allows more than was known.</returns>
    public bool Opened(int open)
    {
        if (open <= limit) return false;
        limit = open;
        return true;
    }

    /// <summary>None works any more: what the relay will allow when it is back is another matter.</summary>
    public void Forget() => limit = None;
}
