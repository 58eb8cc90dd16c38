using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>A session for tests, which have no thread to block.</summary>
internal static class SessionSending
{
    public static Task<SendOutcome> SendAsync(this SmtpSession session, ComposedMessage message, EmailAddress sender, EmailAddress recipient, CancellationToken cancel)
        => Task.Run(() => session.Send(message, sender, recipient, cancel), CancellationToken.None);
}
