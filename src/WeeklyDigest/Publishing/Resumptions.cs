using System.Collections.Concurrent;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Knows which mailings began or were resumed since this process last ran them. Only then a relay that was set aside is tried again: a mailing
/// that goes on by itself every few minutes, for its deferred rows, would have a wrong password tried all day.
/// </summary>
internal sealed class Resumptions
{
    private readonly ConcurrentDictionary<long, DateTimeOffset?> seen = new();

    /// <summary>Whether somebody put the mailing to sending since the last call.</summary>
    public bool IsNew(Mailing mailing)
    {
        var isKnown = seen.TryGetValue(mailing.Id, out var resumedAt);
        seen[mailing.Id] = mailing.ResumedAt;
        return !isKnown || resumedAt != mailing.ResumedAt;
    }
}
