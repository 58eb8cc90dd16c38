using System.Security.Cryptography;

namespace WeeklyDigest.Server.Inbox;

/// <summary>Gives names that no other message has, also when the clock stands still or is set back.</summary>
/// <param name="time">The clock.</param>
internal sealed class InboxIds(TimeProvider time)
{
    private readonly string tag = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    private long lastTicks;

    /// <summary>The next name; it sorts after all that were given before.</summary>
    public InboxId Next()
    {
        while (true)
        {
            var last = Volatile.Read(ref lastTicks);
            var next = Math.Max(last + 1, time.GetUtcNow().UtcTicks);
            if (Interlocked.CompareExchange(ref lastTicks, next, last) == last) return InboxId.Of(next, tag);
        }
    }
}
