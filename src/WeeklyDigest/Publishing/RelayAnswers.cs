using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Publishing;

/// <summary>What a relay did last. What is held against it has times of day, and the clock may be set back in between.</summary>
/// <param name="time">The clock.</param>
internal sealed class RelayAnswers(TimeProvider time)
{
    /// <summary>
    /// The clocks of two nodes may differ, and be corrected, by so much: far more than <c>doctor</c> lets pass, of both together. What another node, whose clock is ahead,
    /// has just noted must not be taken for what was noted before a clock was set back.
    /// </summary>
    internal static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(10);

    private readonly Moment accepted = new();
    private readonly Moment answered = new();
    private long discreditedSince;

    /// <summary>Whether its row was too long and the ledger has not seen to that yet.</summary>
    public bool IsDiscredited => Volatile.Read(ref discreditedSince) is > 0 and var since && since >= accepted.Stamp;

    /// <summary>Notes that it accepted a message, or put it off.</summary>
    public void Note(SendResult result, DateTimeOffset now)
    {
        answered.Set(now, time);
        if (result == SendResult.Accepted) accepted.Set(now, time);
    }

    /// <summary>Its row was too long.</summary>
    public void Discredit() => Volatile.Write(ref discreditedSince, time.GetTimestamp());

    /// <summary>The ledger has seen to that.</summary>
    public void Settle() => Volatile.Write(ref discreditedSince, 0);

    /// <summary>What that means for what the ledger holds against it.</summary>
    public RelayStanding Standing(string relay) => new(relay)
    {
        AcceptedAt = accepted.At(time), AnsweredAt = answered.At(time),
        Newest = accepted.Stamp > 0 && accepted.SetBackSince(time) < Tolerance ? time.GetUtcNow() + Tolerance : DateTimeOffset.MaxValue,
    };

    /// <summary>The time of day and the timestamp of what happened last. Two that are set at once may mix: they are of the same moment.</summary>
    private sealed class Moment
    {
        private long at;
        private long stamp;

        public long Stamp => Volatile.Read(ref stamp);

        public void Set(DateTimeOffset now, TimeProvider time)
        {
            Volatile.Write(ref at, now.ToUnixTimeMilliseconds());
            Volatile.Write(ref stamp, time.GetTimestamp());
        }

        /// <summary>By how much the clock was set back since.</summary>
        public TimeSpan SetBackSince(TimeProvider time)
        {
            var passed = time.GetElapsedTime(Stamp);
            var back = Noted - (time.GetUtcNow() - passed);
            return back > TimeSpan.Zero ? back : TimeSpan.Zero;
        }

        /// <summary>When it was, by the clock as it is now; the epoch: never.</summary>
        public DateTimeOffset At(TimeProvider time) => Stamp == 0 ? DateTimeOffset.UnixEpoch : Noted - SetBackSince(time);

        private DateTimeOffset Noted => DateTimeOffset.FromUnixTimeMilliseconds(Volatile.Read(ref at));
    }
}
