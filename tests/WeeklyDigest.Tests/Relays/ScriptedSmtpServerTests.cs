using System.Security.Cryptography.X509Certificates;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace WeeklyDigest.Tests.Relays;

/// <summary>The measuring instrument itself: what it claims to have accepted has to be what a client was told.</summary>
public sealed class ScriptedSmtpServerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(nameof(SmtpAbilities.None))]
    [InlineData(nameof(SmtpAbilities.Modern))]
    [InlineData("Modern, Chunking")]
    public async Task Records_each_accepted_message_with_its_bytes(string announced)
    {
        var abilities = Enum.Parse<SmtpAbilities>(announced);
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = abilities, KeepBytes = true });
        using var client = await ConnectAsync(server);
        await client.SendAsync(Message("a@example.org", ".dot\r\n..two\r\n.\r\nend"), Cancel);
        await client.SendAsync(Message("b@example.org", "second"), Cancel);
        await client.DisconnectAsync(true, Cancel);

        Assert.Equal(["a@example.org", "b@example.org"], server.Accepted.Select(m => m.Recipient));
        Assert.Equal(["a@example.org.id@test", "b@example.org.id@test"], server.Accepted.Select(m => m.MessageId));
        var kept = await MimeMessage.LoadAsync(new MemoryStream(server.Accepted[0].Bytes.ToArray()), Cancel);
        Assert.Equal(".dot\n..two\n.\nend", kept.TextBody!.ReplaceLineEndings("\n").TrimEnd('\n'));
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task Replies_by_stage_recipient_and_time()
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment switch
        {
            { Stage: SmtpStage.RcptTo, Recipient: "later@example.org", Time: 1 } => SmtpMove.Reply("450 4.2.0 not now"),
            { Stage: SmtpStage.Message, Recipient: "never@example.org" } => SmtpMove.Reply("554-5.7.1 not\n554 5.7.1 ever"),
            _ => SmtpMove.Accept,
        });
        using var client = await ConnectAsync(server);
        var later = await Assert.ThrowsAsync<SmtpCommandException>(() => client.SendAsync(Message("later@example.org"), Cancel));
        Assert.Equal(450, (int)later.StatusCode);
        await client.SendAsync(Message("later@example.org"), Cancel);
        var never = await Assert.ThrowsAsync<SmtpCommandException>(() => client.SendAsync(Message("never@example.org"), Cancel));
        Assert.Equal(554, (int)never.StatusCode);
        Assert.Equal(["later@example.org"], server.Accepted.Select(m => m.Recipient));
    }

    [Fact]
    public async Task Drops_stalls_and_cuts_where_told_and_knows_what_it_kept()
    {
        await using var server = ScriptedSmtpServer.Start(moment => (moment.Stage, moment.Recipient) switch
        {
            (SmtpStage.Message, "lost@example.org") => SmtpMove.Drop,
            (SmtpStage.Message, "kept@example.org") => SmtpMove.KeepThenDrop,
            (SmtpStage.Data, "cut@example.org") => SmtpMove.CutBodyAfter(10),
            (SmtpStage.RcptTo, "closing@example.org") => SmtpMove.ReplyThenClose("421 4.3.2 going down"),
            (SmtpStage.Message, "stalled@example.org") => SmtpMove.KeepThenStall,
            _ => SmtpMove.Accept,
        });
        foreach (var name in new[] { "lost", "kept", "cut", "closing", "stalled" })
        {
            using var client = await ConnectAsync(server);
            client.Timeout = 300;
            await Assert.ThrowsAnyAsync<Exception>(() => client.SendAsync(Message($"{name}@example.org"), Cancel));
            client.Dispose();
            await server.WaitForAsync(s => s.OpenConnections == 0, TimeSpan.FromSeconds(10), "the connection closed");
        }

        Assert.Equal(["kept@example.org", "stalled@example.org"], server.Accepted.Select(m => m.Recipient));
        Assert.Equal(1, server.MostOpenConnections);
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task Offers_STARTTLS_and_login_and_remembers_what_came_in_clear(string mechanism)
    {
        using var certificate = TestCertificate.Create();
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Certificate = certificate, Username = "editor", Password = "secret", AuthMechanisms = mechanism,
        });
        using var client = await ConnectAsync(server, SecureSocketOptions.StartTls, certificate);
        await Assert.ThrowsAsync<AuthenticationException>(() => client.AuthenticateAsync("editor", "wrong", Cancel));
        await client.AuthenticateAsync("editor", "secret", Cancel);
        await client.SendAsync(Message("a@example.org"), Cancel);

        Assert.True(Assert.Single(server.Accepted).Encrypted);
        Assert.Equal(["EHLO", "STARTTLS"], server.Commands.Where(c => !c.Encrypted).Select(c => c.Line.Split(' ')[0]));
        Assert.Contains(server.Commands, c => c.Line.StartsWith("AUTH " + mechanism, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Speaks_TLS_from_the_first_byte()
    {
        using var certificate = TestCertificate.Create();
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Certificate = certificate, ImplicitTls = true });
        using var client = await ConnectAsync(server, SecureSocketOptions.SslOnConnect, certificate);
        await client.SendAsync(Message("a@example.org"), Cancel);
        Assert.True(Assert.Single(server.Accepted).Encrypted);
    }

    [Fact]
    public async Task Holds_until_the_test_lets_go()
    {
        var gate = new TaskCompletionSource();
        await using var server = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(gate.Task, SmtpMove.Accept) : SmtpMove.Accept);
        using var client = await ConnectAsync(server);
        var sending = client.SendAsync(Message("a@example.org"), Cancel);
        await server.WaitForAsync(s => s.Commands.Any(c => c.Line == "DATA"), TimeSpan.FromSeconds(10), "DATA");
        Assert.Empty(server.Accepted);
        gate.SetResult();
        await sending;
        Assert.Single(server.Accepted);
    }

    private static MimeMessage Message(string to, string text = "hello") => new()
    {
        From = { new MailboxAddress("", "digest@example.com") },
        To = { new MailboxAddress("", to) },
        MessageId = $"{to}.id@test",
        Subject = "test",
        Body = new TextPart("plain") { Text = text },
    };

    private static async Task<SmtpClient> ConnectAsync(
        ScriptedSmtpServer server, SecureSocketOptions security = SecureSocketOptions.None, X509Certificate2? trusted = null)
    {
        var client = new SmtpClient { CheckCertificateRevocation = false, LocalDomain = "client.test" };
        client.ServerCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == trusted?.GetCertHashString();
        await client.ConnectAsync("127.0.0.1", server.Port, security, Cancel);
        return client;
    }
}
