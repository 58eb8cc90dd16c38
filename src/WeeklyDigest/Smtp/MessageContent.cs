using WeeklyDigest.Audience;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Smtp;

/// <summary>All that the messages of one mailing share, frozen at publish.</summary>
/// <param name="From">The author.</param>
/// <param name="ReplyTo">Where replies go, or null.</param>
/// <param name="ListId">List-ID's identifier (RFC 2919), such as <c>weekly.example.com</c>, and the newsletter's name before it.</param>
/// <param name="ListName">The phrase before the identifier.</param>
/// <param name="FeedbackId">Feedback-ID's fields: campaign, list, kind, sender.</param>
/// <param name="UnsubscribeMailto">The address for List-Unsubscribe's mailto form.</param>
/// <param name="Date">The Date of every message: the mailing's, so that a message sent again is the same byte for byte.</param>
/// <param name="Boundary">The multipart boundary.</param>
/// <param name="Subject">The subject.</param>
/// <param name="Html">The HTML part.</param>
/// <param name="Text">The text part.</param>
public sealed record MessageContent(
    Mailbox From,
    Mailbox? ReplyTo,
    string ListId,
    string ListName,
    string FeedbackId,
    EmailAddress UnsubscribeMailto,
    DateTimeOffset Date,
    string Boundary,
    MergeTemplate Subject,
    MergeTemplate Html,
    MergeTemplate Text);

/// <summary>All that differs from one message of a mailing to the next.</summary>
/// <param name="To">The recipient.</param>
/// <param name="MessageId">The Message-ID without angle brackets; the same each time this delivery is sent.</param>
/// <param name="UnsubscribeToken">What stands behind the word "unsubscribe" in the subject of the mailto form.</param>
/// <param name="Values">What the slots are filled with.</param>
public sealed record MessageRecipient(Mailbox To, string MessageId, string UnsubscribeToken, MergeValues Values);
