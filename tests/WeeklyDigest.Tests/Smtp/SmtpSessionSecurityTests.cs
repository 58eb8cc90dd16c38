using System.Net;
using System.Net.Sockets;
using System.Text;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>What a relay has to prove before it hears a password or a recipient.</summary>
public sealed class SmtpSessionSecurityTests : IDisposable
{
    private const string Password = "correct horse: ünïcode";
    private readonly string folder = Directory.CreateTempSubdirectory("weeklydigest-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_relay_that_wants_a_login_after_ours_lets_us_check_it_and_not_set_it()
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Username = "news", Password = "right", Script = moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("530 5.7.0 must STARTTLS first") : SmtpMove.Accept,
        });
        await using var session = new SmtpSession(
            new RelayOptions { Name = "main", Host = "127.0.0.1", Port = server.Port, Security = RelaySecurity.None, Username = "news", Password = "right" }, TimeProvider.System);
        await session.SendAsync(Samples.Compose(Samples.Modern), Samples.Bounces, Samples.Address("ada@example.org"), Cancel);
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        Assert.EndsWith("must STARTTLS first. Check its Username, Password and Security.", trouble.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("StartTls", "PLAIN LOGIN", "")]
    [InlineData("StartTls", "LOGIN CRAM-MD5", "Modern, Chunking")]
    [InlineData("Tls", "PLAIN", "Modern")]
    public async Task Logs_in_and_sends_inside_TLS(string security, string mechanisms, string abilities)
    {
        using var certificate = TestCertificate.Create();
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Certificate = certificate, ImplicitTls = security == "Tls", Username = "editor", Password = Password, AuthMechanisms = mechanisms, KeepBytes = true,
            Abilities = abilities.Length == 0 ? SmtpAbilities.EightBitMime : Enum.Parse<SmtpAbilities>(abilities),
        });
        await using var session = Session(server, relay => relay with { Security = Enum.Parse<RelaySecurity>(security), TrustedCertificates = certificate.WritePem(folder) });
        var message = Samples.Compose(await session.OpenAsync(Cancel));
        for (var i = 0; i < 3; i++) Assert.Equal(SendResult.Accepted, (await SendAsync(session, message)).Result);
        Assert.All(server.Accepted, accepted => Assert.Equal((true, message.Bytes.ToArray().Length), (accepted.Encrypted, accepted.Bytes.Length)));
        Assert.Equal(message.Bytes.ToArray(), server.Accepted[2].Bytes.ToArray());
        Assert.DoesNotContain(server.Commands, command => !command.Encrypted && command.Line.Split(' ')[0] is not ("EHLO" or "STARTTLS"));
    }

    [Theory]
    [InlineData("StartTls")]
    [InlineData("Tls")]
    public async Task Knows_inside_TLS_what_a_lost_answer_means(string security)
    {
        using var certificate = TestCertificate.Create();
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Certificate = certificate, ImplicitTls = security == "Tls",
            Script = moment => (moment.Stage, moment.Connection) switch { (SmtpStage.Message, 1) => SmtpMove.KeepThenDrop, (SmtpStage.Data, 2) => SmtpMove.Drop, _ => SmtpMove.Accept },
        });
        await using var session = Session(server, relay => relay with { Username = "", Security = Enum.Parse<RelaySecurity>(security), TrustedCertificates = certificate.WritePem(folder) });
        Assert.Equal(SendResult.Unknown, (await SendAsync(session)).Result);
        Assert.Equal(SendResult.Deferred, (await SendAsync(session)).Result);
        Assert.Equal(SendResult.Accepted, (await SendAsync(session)).Result);
        Assert.Equal((3, 2), (server.Connections, server.AcceptedCount));
    }

    [Theory]
    [InlineData("StartTls", "untrusted", "not valid")]
    [InlineData("Tls", "untrusted", "not valid")]
    [InlineData("StartTls", "expired", "is not valid now: it holds from ")]
    [InlineData("Tls", "other host", "another host name")]
    public async Task Sends_nothing_to_a_relay_whose_certificate_is_not_right(string security, string what, string words)
    {
        using var certificate = TestCertificate.Create(what == "other host" ? "mail.elsewhere.example" : "localhost", expired: what == "expired");
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Certificate = certificate, ImplicitTls = security == "Tls", Username = "editor", Password = Password });
        await using var session = Session(server, relay => relay with
        {
            Security = Enum.Parse<RelaySecurity>(security),
            TrustedCertificates = what == "untrusted" ? "" : certificate.WritePem(folder),
        });
        await AssertRefusedAsync(session, words);
        Assert.DoesNotContain(server.Commands, command => command.Line.Split(' ')[0] is not ("EHLO" or "STARTTLS"));
    }

    [Fact]
    public async Task Sends_nothing_to_a_relay_that_does_not_speak_TLS_from_the_first_byte()
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Username = "editor", Password = Password });
        await using var session = Session(server, relay => relay with { Security = RelaySecurity.Tls });
        await AssertRefusedAsync(session, "could not agree on TLS with us");
    }

    // As a load balancer does whose relay restarts.
    [Theory]
    [InlineData("StartTls", false)]
    [InlineData("StartTls", true)]
    [InlineData("Tls", false)]
    [InlineData("Tls", true)]
    public async Task Tries_a_relay_again_that_hangs_up_in_the_handshake(string security, bool resets)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = HangUpInHandshakeAsync(listener, greets: security == "StartTls", resets);
        var relay = new RelayOptions { Name = "main", Host = "127.0.0.1", Port = ((IPEndPoint)listener.LocalEndpoint).Port, Security = Enum.Parse<RelaySecurity>(security), Username = "editor", Password = Password };
        await using var session = new SmtpSession(relay, TimeProvider.System);
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        Assert.True(trouble.IsTransient, trouble.Message);
        Assert.Contains("did not finish the TLS handshake: ", trouble.Message, StringComparison.Ordinal);
        await serving;
    }

    [Fact]
    public async Task Tries_a_relay_again_that_hangs_up_after_the_handshake()
    {
        using var certificate = TestCertificate.Create();
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Certificate = certificate, ImplicitTls = true, Script = moment => moment.Stage == SmtpStage.Connect ? SmtpMove.Drop : SmtpMove.Accept,
        });
        await using var session = Session(server, relay => relay with { Security = RelaySecurity.Tls, TrustedCertificates = certificate.WritePem(folder) });
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        Assert.True(trouble.IsTransient, trouble.Message);
        Assert.Contains("did not greet us", trouble.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sends_nothing_when_STARTTLS_was_taken_out_of_the_reply()
    {
        using var certificate = TestCertificate.Create();
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Certificate = certificate, AnnounceStartTls = false, Username = "editor", Password = Password });
        await using var session = Session(server, relay => relay with { TrustedCertificates = certificate.WritePem(folder) });
        await AssertRefusedAsync(session, "does not offer STARTTLS");
        Assert.All(server.Commands, command => Assert.StartsWith("EHLO", command.Line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sends_nothing_when_the_relay_cannot_start_TLS_right_now()
    {
        using var certificate = TestCertificate.Create();
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Certificate = certificate, Script = moment => moment.Stage == SmtpStage.StartTls ? SmtpMove.Reply("454 4.7.0 TLS not available") : SmtpMove.Accept,
        });
        await using var session = Session(server, relay => relay with { TrustedCertificates = certificate.WritePem(folder) });
        Assert.True((await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask())).IsTransient);
    }

    [Fact]
    public async Task Sends_no_password_in_clear_beyond_this_machine()
    {
        // A documentation address (RFC 5737): if a connection were tried, this test would wait for it.
        await using var session = new SmtpSession(
            new RelayOptions { Name = "main", Host = "192.0.2.1", Port = 25, Security = RelaySecurity.None, Username = "editor", Password = Password }, TimeProvider.System);
        await AssertRefusedAsync(session, "in clear, which is never done");
    }

    [Fact]
    public async Task Sends_no_message_in_clear_beyond_this_machine_unless_that_is_said()
    {
        var relay = new RelayOptions { Name = "main", Host = "192.0.2.1", Port = 25, Security = RelaySecurity.None };
        await using var session = new SmtpSession(relay, TimeProvider.System);
        await AssertRefusedAsync(session, "AllowPlaintext");
    }

    [Fact]
    public async Task A_login_does_not_go_in_clear_even_where_plaintext_is_allowed()
    {
        var relay = new RelayOptions { Name = "main", Host = "192.0.2.1", Port = 25, Security = RelaySecurity.None, AllowPlaintext = true, Username = "editor", Password = Password };
        await using var session = new SmtpSession(relay, TimeProvider.System);
        await AssertRefusedAsync(session, "in clear, which is never done");
    }

    [Theory]
    [InlineData("535 5.7.8 wrong password", false)]
    [InlineData("454 4.7.0 the directory is down", true)]
    public async Task Tells_a_refused_login_in_the_server_s_words(string reply, bool isTransient)
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Username = "editor", Password = Password, Script = moment => moment.Stage == SmtpStage.Auth ? SmtpMove.Reply(reply) : SmtpMove.Accept,
        });
        await using var session = Session(server, relay => relay with { Security = RelaySecurity.None });
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        Assert.Equal(isTransient, trouble.IsTransient);
        Assert.Contains(reply, trouble.Message, StringComparison.Ordinal);
        Assert.Single(server.Commands, command => command.Line.StartsWith("AUTH", StringComparison.Ordinal));
        Assert.Equal(SendResult.NotStarted, (await SendAsync(session)).Result);
        Assert.DoesNotContain(server.Commands, command => command.Line.StartsWith("MAIL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Repeats_no_password_that_the_relay_echoes()
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Username = "editor", Password = "other",
            Script = moment => moment.Stage == SmtpStage.Auth ? SmtpMove.Reply($"535 5.7.8 '{moment.Line}' and '{Password}' are wrong") : SmtpMove.Accept,
        });
        await using var session = Session(server, relay => relay with { Security = RelaySecurity.None });
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        var told = trouble.ToString();
        Assert.Contains("'AUTH PLAIN ***' and '***' are wrong", told, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tells_a_relay_that_offers_no_login_we_use()
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Username = "editor", AuthMechanisms = "XOAUTH2" });
        await using var session = Session(server, relay => relay with { Security = RelaySecurity.None });
        await AssertRefusedAsync(session, "XOAUTH2");
    }

    [Theory]
    [InlineData("missing.pem")]
    [InlineData("empty.pem")]
    public async Task Tells_a_file_of_authorities_that_cannot_be_used(string file)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "empty.pem"), "no certificate", Cancel);
        await using var session = new SmtpSession(new RelayOptions { Name = "main", Host = "127.0.0.1", TrustedCertificates = Path.Combine(folder, file) }, TimeProvider.System);
        await AssertRefusedAsync(session, file);
    }

    private static async Task HangUpInHandshakeAsync(TcpListener listener, bool greets, bool resets)
    {
        using var socket = await listener.AcceptSocketAsync(Cancel);
        var heard = new byte[4096];
        foreach (var words in greets ? ["220 relay.test\r\n", "250-relay.test\r\n250 STARTTLS\r\n", "220 go ahead\r\n"] : Array.Empty<string>())
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(words), Cancel);
            await socket.ReceiveAsync(heard, Cancel);
        }
        if (!greets) await socket.ReceiveAsync(heard, Cancel);
        if (resets) socket.LingerState = new LingerOption(enable: true, seconds: 0);
    }

    private static async Task AssertRefusedAsync(SmtpSession session, string words)
    {
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        Assert.False(trouble.IsTransient, trouble.Message);
        Assert.Contains(words, trouble.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, trouble.ToString(), StringComparison.Ordinal);
        Assert.Equal(SendResult.NotStarted, (await SendAsync(session)).Result);
    }

    private static Task<SendOutcome> SendAsync(SmtpSession session, ComposedMessage? message = null)
        => session.SendAsync(message ?? Samples.Compose(Samples.Modern), Samples.Bounces, Samples.Address("ada@example.org"), Cancel);

    private static SmtpSession Session(ScriptedSmtpServer server, Func<RelayOptions, RelayOptions> change)
        => new(change(new RelayOptions { Name = "main", Host = "127.0.0.1", Port = server.Port, Username = "editor", Password = Password }), TimeProvider.System);
}
