using System.Globalization;

namespace WeeklyDigest.Deliveries;

/// <summary>Turns what happened to a claimed delivery into the change the ledger gets. Every state comes from <see cref="DeliveryTransitions"/>.</summary>
/// <param name="schedule">When a deferred delivery is tried again.</param>
/// <param name="onUncertain">What to do when an answer is lost.</param>
public sealed class DeliveryVerdicts(RetrySchedule schedule, OnUncertain onUncertain)
{
    /// <summary>Stands behind the reply of a failure where the relay may have taken a copy before.</summary>
    public const string EarlierCopy = "(An earlier copy may have arrived.)";

    private const int MaxReply = 500;

    /// <summary>The mark that has to be durable before the message goes to the relay.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="from">Claimed, or Sending when the mark is there and is asked for once more.</param>
    /// <param name="now">The time.</param>
    public static LedgerWrite Begin(HeldDelivery delivery, DeliveryState from, DateTimeOffset now)
        => Change(delivery, from, DeliveryEvent.Begin, now);

    /// <summary>Gives a delivery back that was not handed over; it does not count as an attempt.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="from">Claimed, or Sending when the mark is already there.</param>
    /// <param name="now">The time.</param>
    public static LedgerWrite Release(HeldDelivery delivery, DeliveryState from, DateTimeOffset now)
        => Change(delivery, from, DeliveryEvent.Release, now);

    /// <summary>The changes that an attempt's outcome means, in order; one, or two when a lost answer is followed by sending again.</summary>
    public IReadOnlyList<LedgerWrite> Of(HeldDelivery delivery, SendOutcome outcome, DateTimeOffset now) => outcome.Result switch
    {
        SendResult.Accepted => [Attempt(delivery, DeliveryEvent.Accept, outcome.Reply, now)],
        SendResult.Deferred => [Deferred(delivery, outcome.Reply, now)],
        SendResult.Rejected => [Attempt(delivery, DeliveryEvent.Reject, Refused(delivery, outcome.Reply), now) with { Refusal = outcome.Refusal, Relay = RelayOf(outcome) }],
        SendResult.NotStarted => [Release(delivery, DeliveryState.Sending, now)],
        SendResult.Unknown => Lost(delivery, outcome.Reply, now),
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome.Result, "not an outcome"),
    };

    // What is said of the sender or the content says nothing of a recipient, of which the relay could be doubted.
    private static RelayStanding? RelayOf(SendOutcome outcome)
        => outcome is { Refusal: Refusal.Address or Refusal.Mailbox, Relay: { } relay } ? new RelayStanding(relay) : null;

    private LedgerWrite Deferred(HeldDelivery delivery, string reply, DateTimeOffset now)
    {
        var first = delivery.FirstAttemptAt ?? now;
        return schedule.Next(delivery.Attempts, first, now) is { } next
            ? Attempt(delivery, DeliveryEvent.Defer, reply, now) with { NextAttemptAt = next }
            : Attempt(delivery, DeliveryEvent.Reject, GaveUp(delivery, now - first, reply), now);
    }

    // Sent again by itself once only: a relay that loses every answer must not get the same message for ever.
    private LedgerWrite[] Lost(HeldDelivery delivery, string reply, DateTimeOffset now)
    {
        var lost = Attempt(delivery, DeliveryEvent.LoseTrack, reply, now);
        return onUncertain == OnUncertain.Resend && delivery.Resent == 0
            ? [lost, Change(delivery, DeliveryState.Uncertain, DeliveryEvent.Resend, now)]
            : [lost];
    }

    // The relay may have taken an earlier copy, whose answer was lost: a failure of this one does not say that the recipient got none.
    private static string Refused(HeldDelivery delivery, string reply) => delivery.Resent == 0 ? reply : Short($"{reply} {EarlierCopy}");

    // Not within a character of two units: a database that keeps texts as UTF-8 refuses half of one, and all that is written with it.
    private static string Short(string text) => text.Length <= MaxReply ? text : text[..(char.IsHighSurrogate(text[MaxReply - 1]) ? MaxReply - 1 : MaxReply)];

    private static LedgerWrite Attempt(HeldDelivery delivery, DeliveryEvent happening, string reply, DateTimeOffset now)
        => Change(delivery, DeliveryState.Sending, happening, now, countAttempt: true, reply);

    private static LedgerWrite Change(
        HeldDelivery delivery, DeliveryState from, DeliveryEvent happening, DateTimeOffset now, bool countAttempt = false, string? reply = null)
        => new(delivery.Id, delivery.Stamp, from, DeliveryTransitions.Next(from, happening), countAttempt, reply, NextAttemptAt: null, now);

    private static string GaveUp(HeldDelivery delivery, TimeSpan tried, string reply)
    {
        return Refused(delivery, Short(string.Create(CultureInfo.InvariantCulture, $"Gave up after {delivery.Attempts + 1} attempts in {tried:d\\.hh\\:mm\\:ss}; last reply: {reply}")));
    }
}
