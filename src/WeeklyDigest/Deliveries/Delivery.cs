using WeeklyDigest.Audience;

namespace WeeklyDigest.Deliveries;

/// <summary>A delivery that somebody holds, with what decides where it goes from there: nothing of its recipient.</summary>
/// <param name="Id">The row.</param>
/// <param name="Stamp">The claim's stamp: it grows with every claim of the row, and a write under an older stamp changes nothing (fencing).</param>
/// <param name="Attempts">How often the message was handed to a relay before this claim.</param>
/// <param name="FirstAttemptAt">When it was first handed to a relay; null before that.</param>
/// <param name="Resent">How often it was sent again although an earlier copy may have arrived.</param>
public abstract record HeldDelivery(DeliveryId Id, long Stamp, int Attempts, DateTimeOffset? FirstAttemptAt, int Resent);

/// <summary>A delivery that a process was sending. Its recipient is not known: what is stored may be no address for this program.</summary>
/// <inheritdoc cref="HeldDelivery"/>
public sealed record BegunDelivery(DeliveryId Id, long Stamp, int Attempts, DateTimeOffset? FirstAttemptAt, int Resent)
    : HeldDelivery(Id, Stamp, Attempts, FirstAttemptAt, Resent);

/// <summary>A claimed delivery with what is needed to compose and send it.</summary>
/// <param name="Id">The row.</param>
/// <param name="Stamp">The claim's stamp: it grows with every claim of the row, and a write under an older stamp changes nothing (fencing).</param>
/// <param name="Attempts">How often the message was handed to a relay before this claim.</param>
/// <param name="FirstAttemptAt">When it was first handed to a relay; null before that.</param>
/// <param name="Recipient">The subscriber as of the claim.</param>
/// <param name="Resent">How often it was sent again although an earlier copy may have arrived.</param>
/// <param name="DomainId">The key of the recipient's domain.</param>
public sealed record Delivery(
    DeliveryId Id, long Stamp, int Attempts, DateTimeOffset? FirstAttemptAt, Subscriber Recipient, int Resent = 0, long DomainId = 0)
    : HeldDelivery(Id, Stamp, Attempts, FirstAttemptAt, Resent);

/// <summary>One line of <c>deliveries ISSUE</c>.</summary>
/// <param name="Address">The recipient.</param>
/// <param name="State">The state.</param>
/// <param name="Attempts">How often the message was handed to a relay.</param>
/// <param name="Reply">The relay's last reply or our reason, or null.</param>
/// <param name="MailingId">The mailing.</param>
/// <param name="SubscriberId">The subscriber.</param>
/// <param name="UpdatedAt">When the row last changed.</param>
/// <param name="NextAttemptAt">When a deferred row is tried again, else null.</param>
/// <param name="Resent">How often it was to be sent again although an earlier copy may have arrived: so many earlier ones may have.</param>
public sealed record DeliveryReport(
    string Address,
    DeliveryState State,
    int Attempts,
    string? Reply,
    long MailingId,
    long SubscriberId,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? NextAttemptAt,
    int Resent)
{
    /// <summary>
    /// Whether the recipient may have got more than one copy. One that is being sent counts: whoever looks after a crash cannot know better. One that waits to be sent
    /// again does not, nor one whose further copy was refused.
    /// </summary>
    public bool MayBeThereTwice => Resent + (State is DeliveryState.Sending or DeliveryState.Sent or DeliveryState.Uncertain ? 1 : 0) > 1;
}
