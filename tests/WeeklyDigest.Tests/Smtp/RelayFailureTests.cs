using MailKit.Net.Smtp;
using MailKit.Security;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

public sealed class RelayFailureTests
{
    private static readonly RelayOptions Relay = new() { Name = "main", Host = "mail.example.com", Port = 587 };

    [Fact]
    public void A_login_that_is_not_answered_is_no_refused_one()
    {
        var silent = RelayFailure.Opening(Relay, DialogueStage.Login, new OperationCanceledException(), timedOut: true, certificate: null)!;
        Assert.Equal("Relay 'main' (mail.example.com:587) did not let us log in: No answer in time. A mailing that is being sent tries again by itself.", silent.Message);

        var refused = RelayFailure.Opening(Relay, DialogueStage.Login, new AuthenticationException("no", new SmtpCommandException(SmtpErrorCode.UnexpectedStatusCode, (SmtpStatusCode)535, "5.7.8 no")), timedOut: false, certificate: null)!;
        Assert.StartsWith("Relay 'main' (mail.example.com:587) refused the login: 535", refused.Message, StringComparison.Ordinal);
        Assert.EndsWith("Check user name and password.", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_certificate_is_one_also_where_the_relay_has_gone_before_it_was_told()
    {
        var dropped = new SslHandshakeException("no", new IOException("Broken pipe"));
        var trouble = RelayFailure.Opening(Relay, DialogueStage.Tls, dropped, timedOut: false, certificate: "its certificate is for another host name")!;
        Assert.False(trouble.IsTransient);
        Assert.Contains("could not agree on TLS with us: its certificate is for another host name. Check host name", trouble.Message, StringComparison.Ordinal);
    }
}
