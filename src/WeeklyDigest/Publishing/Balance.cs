namespace WeeklyDigest.Publishing;

/// <summary>How many deliveries of a mailing are in each state, read in one snapshot.</summary>
/// <param name="Total">All deliveries, counted on their own.</param>
/// <param name="Pending">Wait for a sender.</param>
/// <param name="Claimed">Held by a sender.</param>
/// <param name="Sending">Handed to a relay, not answered.</param>
/// <param name="Deferred">Tried again later.</param>
/// <param name="Sent">Accepted.</param>
/// <param name="Failed">Refused.</param>
/// <param name="Suppressed">Left in time.</param>
/// <param name="Uncertain">Fate unknown.</param>
/// <param name="Attempts">Attempts over all deliveries.</param>
/// <param name="Unsubscribed">Of the sent ones: those who left through this link.</param>
public sealed record Balance(
    long Total,
    long Pending,
    long Claimed,
    long Sending,
    long Deferred,
    long Sent,
    long Failed,
    long Suppressed,
    long Uncertain,
    long Attempts,
    long Unsubscribed)
{
    /// <summary>Of a mailing whose deliveries were written a moment ago and that nobody may send yet.</summary>
    public static Balance OfNew(long deliveries) => new(deliveries, deliveries, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>Whether the states add up to the total.</summary>
    public bool AddsUp => Total == Pending + Claimed + Sending + Deferred + Sent + Failed + Suppressed + Uncertain;

    /// <summary>Deliveries that somebody still has to send.</summary>
    public long Open => Pending + Claimed + Sending + Deferred;

    /// <summary>Whether anything is left to do or to decide: exit code 3.</summary>
    public bool NeedsAttention => Deferred + Failed + Uncertain > 0;
}
