namespace WeeklyDigest.Deliveries;

/// <summary>One recipient's row in a mailing: the pair is the primary key, so nobody can be in a mailing twice.</summary>
/// <param name="MailingId">The mailing.</param>
/// <param name="SubscriberId">The subscriber; ids are never reused.</param>
public readonly record struct DeliveryId(long MailingId, long SubscriberId);
