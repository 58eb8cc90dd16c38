using MimeKit;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Smtp;

/// <summary>An address as MailKit needs it for SMTP commands.</summary>
internal static class WireAddress
{
    /// <summary>
    /// The address; null when MailKit would write another one. MailKit keeps domains in Unicode and turns them into A-labels by rules of
    /// its own, which differ from ours for a few letters; a message to the wrong domain is worse than one that is refused.
    /// </summary>
    public static MailboxAddress? ToMailbox(EmailAddress address)
    {
        try
        {
            var mailbox = new MailboxAddress("", address.WireValue);
            return mailbox.GetAddress(idnEncode: true) == address.WireValue ? mailbox : null;
        }
        catch (ParseException)
        {
            return null;
        }
    }
}
