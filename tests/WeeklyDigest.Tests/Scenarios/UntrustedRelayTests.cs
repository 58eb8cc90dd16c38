using System.Text;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Scenarios;

/// <summary>The relay cannot be trusted, or does not trust us: nothing is sent, no password is said in clear, no recipient is touched, and the editor hears why.</summary>
public sealed class UntrustedRelayTests : IDisposable
{
    private const string Password = "correct horse battery";
    private const int Subscribers = 50;
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("expired", "starttls", "is not valid now: it holds from ")]
    [InlineData("expired", "tls", "is not valid now: it holds from ")]
    [InlineData("other host", "starttls", "another host name")]
    [InlineData("unknown authority", "tls", "not valid")]
    [InlineData("stripped", "starttls", "does not offer STARTTLS")]
    [InlineData("login refused", "starttls", "535 5.7.8 wrong user name or password")]
    [InlineData("sender refused", "starttls", "553 5.7.1 not your address")]
    public async Task The_mailing_pauses_with_the_reason_and_goes_on_when_it_is_mended(string what, string security, string said)
    {
        using var certificate = TestCertificate.Create(what == "other host" ? "mail.elsewhere.example" : "localhost", expired: what == "expired");
        await using var relay = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Certificate = certificate, ImplicitTls = security == "tls", AnnounceStartTls = what != "stripped", Username = "editor", Password = Password,
            Script = moment => moment.Stage == SmtpStage.MailFrom && what == "sender refused" ? SmtpMove.Reply("553 5.7.1 not your address") : SmtpMove.Accept,
        });
        using var workspace = Workspace(relay.Port, security, what == "unknown authority" ? "" : certificate.WritePem(folder.Path), what == "login refused" ? "another" : Password);

        var sent = await workspace.RunAsync("send", "week-1");
        Assert.Equal(1, sent.ExitCode);
        Assert.Contains(said, sent.Error, StringComparison.Ordinal);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        Assert.Equal(("paused", Subscribers, 0), (accounts.State, accounts["pending"], relay.AcceptedCount));
        Assert.All(accounts.Rows, row => Assert.Equal((0, ""), (row.Attempts, row.Reply)));
        Assert.Contains(said, (await workspace.RunHereAsync("status", "week-1")).Out, StringComparison.Ordinal);
        AssertNothingInClear(relay);
        // RCPT goes out together with MAIL, before MAIL is answered; the message never does.
        Assert.DoesNotContain(relay.Commands, command => command.Line == "DATA" || (what != "sender refused" && command.Line.StartsWith("RCPT", StringComparison.Ordinal)));
        foreach (var words in new[] { sent.Out, sent.Error }) Assert.DoesNotContain(Password, words, StringComparison.Ordinal);

        await GoesOnAsync(workspace);
    }

    // Another relay that is as it should be, with the settings to match.
    private async Task GoesOnAsync(Workspace workspace)
    {
        using var certificate = TestCertificate.Create();
        await using var mended = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Certificate = certificate, Username = "editor", Password = Password });
        Settle(workspace, mended.Port, "starttls", certificate.WritePem(folder.Path), Password);
        Assert.Equal(0, (await workspace.RunHereAsync("resume", "week-1")).ExitCode);
        Assert.Equal(0, (await workspace.RunHereAsync("send", "week-1")).ExitCode);
        var accounts = await Accounts.ReadAsync(workspace, "week-1");
        accounts.AgreeWith(mended);
        Assert.Equal(Subscribers, accounts["sent"]);
        AssertNothingInClear(mended);
    }

    private static void AssertNothingInClear(ScriptedSmtpServer relay)
    {
        Assert.DoesNotContain(relay.Commands, command => !command.Encrypted && command.Line.Split(' ')[0] is not ("EHLO" or "STARTTLS" or "QUIT"));
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(Password));
        Assert.DoesNotContain(relay.Commands, command => !command.Encrypted && command.Line.Contains(encoded, StringComparison.Ordinal));
    }

    private static Workspace Workspace(int port, string security, string trusted, string password)
    {
        var workspace = new Workspace().WithWeek1().WithSubscribers(Subscribers);
        Settle(workspace, port, security, trusted, password);
        return workspace;
    }

    private static void Settle(Workspace workspace, int port, string security, string trusted, string password)
        => workspace.UseRelay(port).Set("Smtp:Relays:0:Host", "localhost").Set("Smtp:Relays:0:Security", security).Set("Smtp:Relays:0:TrustedCertificates", trusted)
            .Set("Smtp:Relays:0:Username", "editor").Set("Smtp:Relays:0:Password", password);
}
