using System.Text;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Inbox;

namespace WeeklyDigest.Tests.Inbox;

public sealed class InboxServerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keeps_the_bytes_that_were_sent_and_the_envelope()
    {
        await using var inbox = new InboxFolder();
        await using var raw = await RawSmtp.ReadyForDataAsync(inbox.Server.Port);
        await raw.SayAsync("RCPT TO:<second@example.org>\r\n");
        await raw.SayAsync("DATA\r\n");
        const string Sent = "Delivered-To: not.the.envelope@example.net\r\nSubject: dots\r\n\r\n.one\r\n..two\r\n.\u0020\r\n";
        var stuffed = Sent.Replace("\r\n.", "\r\n..", StringComparison.Ordinal);
        Assert.Equal("250 2.0.0 Kept", await raw.SayAsync(stuffed + ".\r\n"));

        var entry = Assert.Single(inbox.Store.Page(0, 10));
        var message = inbox.Store.Read(entry.Id)!;
        Assert.Equal(Sent, Encoding.UTF8.GetString(message.Bytes.Span));
        Assert.Equal("digest@example.com", message.Envelope.Sender);
        Assert.Equal(["reader@example.org", "second@example.org"], message.Envelope.Recipients);
        Assert.Equal(0, inbox.DraftCount);
    }

    [Fact]
    public async Task Takes_mail_from_MailKit_with_everything_it_announces()
    {
        await using var inbox = new InboxFolder();
        using var client = new SmtpClient { LocalDomain = "client.test" };
        await client.ConnectAsync("127.0.0.1", inbox.Server.Port, SecureSocketOptions.None, Cancel);
        Assert.Equal(
            SmtpCapabilities.Pipelining | SmtpCapabilities.EightBitMime | SmtpCapabilities.UTF8 | SmtpCapabilities.Size | SmtpCapabilities.EnhancedStatusCodes,
            client.Capabilities);
        Assert.Equal((uint)InboxSession.LongestMessage, client.MaxSize);
        using var message = Message("Grüße an alle", "jörg@example.org");
        var international = FormatOptions.Default.Clone();
        international.International = true;
        await client.SendAsync(international, message, Cancel);
        await client.DisconnectAsync(true, Cancel);

        var entry = Assert.Single(inbox.Store.Page(0, 10));
        Assert.Equal("Grüße an alle", entry.Subject);
        Assert.Equal("jörg@example.org", Assert.Single(entry.Recipients));
        using var kept = await MimeMessage.LoadAsync(new MemoryStream(inbox.Store.Read(entry.Id)!.Bytes.ToArray()), Cancel);
        Assert.Equal("Zwölf Boxkämpfer", kept.TextBody!.Trim());
    }

    [Theory]
    [InlineData("MAIL FROM:<a@example.org>", "503 5.5.1 EHLO first")]
    [InlineData("EHLO", "501")]
    [InlineData("EHLO c|RCPT TO:<a@example.org>", "503 5.5.1 MAIL first")]
    [InlineData("EHLO c|DATA", "503 5.5.1 MAIL first")]
    [InlineData("EHLO c|MAIL FROM:<>|DATA", "554 5.5.1")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org>|MAIL FROM:<a@example.org>", "503")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org> SIZE=99999999", "552 5.3.4")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org> SIZE=x", "552 5.3.4")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org> AUTH=<>", "555 5.5.4")]
    [InlineData("EHLO c|MAIL FROM:<a b@example.org>", "501 5.1.7")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org", "501 5.1.7")]
    [InlineData("EHLO c|MAIL FROM:<a@b@example.org>", "501 5.1.7")]
    [InlineData("EHLO c|MAIL FROM:<\u0007@example.org>", "501 5.1.7")]
    [InlineData("EHLO c|MAIL FROM:<jörg@example.org>", "553 5.6.7")]
    [InlineData("EHLO c|MAIL FROM:<jörg@example.org> SMTPUTF8|RCPT TO:<用户@example.org>", "250")]
    [InlineData("EHLO c|MAIL FROM:<😀@example.org> SMTPUTF8|RCPT TO:<𠮷田@example.org>", "250")]
    [InlineData("EHLO c|MAIL FROM:<\"😀\"@example.org> SMTPUTF8|RCPT TO:<a@𠮷田.example.org>", "250")]
    [InlineData("EHLO c|MAIL FROM:<a\u200bb@example.org> SMTPUTF8", "501 5.1.7")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org>|RCPT TO:<用户@example.org>", "553 5.6.7")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org>|RCPT TO:<>", "501 5.1.3")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org>|RCPT TO:<b@example.org> NOTIFY=NEVER", "555 5.5.4")]
    [InlineData("EHLO c|mail from:<a@example.org> body=8bitmime|rcpt to:<\"odd \\\" one\"@[127.0.0.1]>", "250")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org>|RSET|RCPT TO:<a@example.org>", "503")]
    [InlineData("HELO c", "250 inbox.localhost")]
    [InlineData("NOOP", "250")]
    [InlineData("VRFY a@example.org", "252")]
    [InlineData("EXPN all", "500 5.5.1")]
    [InlineData("", "500 5.5.1")]
    [InlineData("QUIT", "221")]
    public async Task Answers_each_command_as_its_state_demands(string commands, string lastReply)
    {
        await using var inbox = new InboxFolder();
        await using var raw = await RawSmtp.ConnectAsync(inbox.Server.Port);
        var reply = "";
        foreach (var command in commands.Split('|'))
        {
            reply = await raw.SayAsync(command + "\r\n");
        }

        Assert.StartsWith(lastReply, reply, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Subject: a\nb\r\n\r\n", "554 5.6.0 Line 1 holds a bare CR, bare LF or NUL")]
    [InlineData("Subject: a\rb\r\n\r\n", "554 5.6.0")]
    [InlineData("Subject: a\r\n\r\n\0\r\n", "554 5.6.0 Line 3")]
    [InlineData("Subject: a\r\n\r\nb\n.\r\nMAIL FROM:<smuggled@example.org>\r\n", "554 5.6.0 Line 3")]
    [InlineData("Subject: ä\r\n\r\n", "554 5.6.7 Header line 1")]
    [InlineData("Subject: a\r\n\r\nä\r\n", "554 5.6.3 Line 3")]
    public async Task Refuses_a_message_that_breaks_the_standards_and_names_the_line(string text, string reply)
    {
        await using var inbox = new InboxFolder();
        await using var raw = await RawSmtp.ReadyForDataAsync(inbox.Server.Port);
        await raw.SayAsync("DATA\r\n");
        Assert.StartsWith(reply, await raw.SayAsync(text + ".\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("250", await raw.SayAsync("NOOP\r\n"), StringComparison.Ordinal);
        Assert.Equal((0, 0), (inbox.Store.Count, inbox.DraftCount));
    }

    [Theory]
    [InlineData(998, "250")]
    [InlineData(999, "554 5.6.0 Line 1 is longer than 998")]
    [InlineData(500_000, "554 5.6.0 Line 1 is longer than 998")]
    public async Task Takes_lines_of_up_to_998_octets(int length, string reply)
    {
        await using var inbox = new InboxFolder();
        await using var raw = await RawSmtp.ReadyForDataAsync(inbox.Server.Port);
        await raw.SayAsync("DATA\r\n");
        Assert.StartsWith(reply, await raw.SayAsync(new string('x', length) + "\r\n.\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_a_message_over_the_limit_and_takes_the_next()
    {
        await using var inbox = new InboxFolder();
        await using var raw = await RawSmtp.ReadyForDataAsync(inbox.Server.Port);
        await raw.SayAsync("DATA\r\n");
        var line = new string('x', 998) + "\r\n";
        await raw.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(line, 27_000))));
        Assert.StartsWith("552 5.3.4", await raw.SayAsync(".\r\n"), StringComparison.Ordinal);
        await raw.SayAsync("MAIL FROM:<a@example.org>\r\n");
        await raw.SayAsync("RCPT TO:<b@example.org>\r\n");
        await raw.SayAsync("DATA\r\n");
        Assert.StartsWith("250", await raw.SayAsync("Subject: small\r\n\r\n.\r\n"), StringComparison.Ordinal);
        Assert.Equal(1, inbox.Store.Count);
    }

    [Fact]
    public async Task Answers_pipelined_commands_in_order()
    {
        await using var inbox = new InboxFolder();
        await using var raw = await RawSmtp.ConnectAsync(inbox.Server.Port);
        await raw.SendAsync("EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<bad>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n"u8.ToArray());
        var codes = new List<string>();
        while (await raw.ReadAsync() is { Length: > 0 } reply)
        {
            codes.Add(reply[..3]);
        }

        Assert.Equal(["250", "250", "250", "501", "354", "250", "221"], codes);
        Assert.Equal(1, inbox.Store.Count);
    }

    [Fact]
    public async Task Survives_garbage_and_ends_the_conversation_after_too_much_of_it()
    {
        await using var inbox = new InboxFolder();
        var random = new Random(20260704);
        for (var i = 0; i < 50; i++)
        {
            await using var raw = await RawSmtp.ConnectAsync(inbox.Server.Port);
            var noise = new byte[random.Next(1, 20_000)];
            random.NextBytes(noise);
            await raw.SendAsync(noise);
        }

        await using var fool = await RawSmtp.ConnectAsync(inbox.Server.Port);
        var replies = new List<string>();
        await fool.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("nonsense\r\n", 20))));
        while (await fool.ReadAsync() is { Length: > 0 } reply)
        {
            replies.Add(reply);
        }

        Assert.Equal(21, replies.Count);
        Assert.Equal("421 4.7.0 Too many errors", replies[^1]);
        await using var next = await RawSmtp.ConnectAsync(inbox.Server.Port);
        Assert.StartsWith("500 5.5.6", await next.SayAsync(new string('x', 100_000) + "\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("250", await next.SayAsync("NOOP\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keeps_nothing_of_a_message_that_was_cut_off()
    {
        await using var inbox = new InboxFolder();
        await using (var raw = await RawSmtp.ReadyForDataAsync(inbox.Server.Port))
        {
            await raw.SayAsync("DATA\r\n");
            await raw.SendAsync("Subject: half\r\n\r\nhal"u8.ToArray());
        }

        await Eventually.HoldsAsync(() => inbox.DraftCount == 0, "the draft is removed");
        Assert.Equal(0, inbox.Store.Count);
    }

    [Fact]
    public async Task Refuses_connections_beyond_its_limit_with_421()
    {
        await using var inbox = new InboxFolder();
        var clients = new List<RawSmtp>();
        for (var i = 0; i < InboxServer.MostConnections; i++)
        {
            clients.Add(await RawSmtp.ConnectAsync(inbox.Server.Port));
        }

        using var late = new System.Net.Sockets.TcpClient("127.0.0.1", inbox.Server.Port);
        using var reader = new StreamReader(late.GetStream());
        Assert.StartsWith("421 4.3.2", await reader.ReadLineAsync(Cancel), StringComparison.Ordinal);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Tells_a_silent_client_goodbye_after_five_minutes()
    {
        var folder = Directory.CreateTempSubdirectory("inbox-").FullName;
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(56));
        await using (var server = InboxServer.Start(folder, 0, time))
        {
            await using var raw = await RawSmtp.ConnectAsync(server.Port);
            var waiting = raw.ReadAsync();
            time.Advance(InboxWire.LongestSilence - TimeSpan.FromSeconds(1));
            Assert.False(waiting.IsCompleted);
            time.Advance(TimeSpan.FromSeconds(2));
            Assert.StartsWith("421 4.4.2", await waiting, StringComparison.Ordinal);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Ends_at_once_with_clients_still_connected()
    {
        await using var inbox = new InboxFolder();
        await using var idle = await RawSmtp.ConnectAsync(inbox.Server.Port);
        await using var inData = await RawSmtp.ReadyForDataAsync(inbox.Server.Port);
        await inData.SayAsync("DATA\r\n");
        await inbox.Server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        Assert.StartsWith("421", await idle.ReadAsync(), StringComparison.Ordinal);
        Assert.Equal((0, 0), (inbox.Store.Count, inbox.DraftCount));
    }

    [Fact]
    public void Says_what_to_do_when_the_port_is_taken()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        var folder = Directory.CreateTempSubdirectory("inbox-").FullName;
        var refused = Assert.Throws<RefusedException>(() => InboxServer.Start(folder, port, TimeProvider.System));
        Assert.Contains($"127.0.0.1:{port}", refused.Message, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Takes_thousands_of_messages_over_several_connections_and_servers()
    {
        await using var inbox = new InboxFolder();
        await using var second = InboxServer.Start(inbox.Path, 0, TimeProvider.System);
        var body = "Subject: many\r\n\r\n" + string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", 400)) + ".\r\n";
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async n =>
        {
            await using var raw = await RawSmtp.ConnectAsync(n % 2 == 0 ? inbox.Server.Port : second.Port);
            await raw.SayAsync("EHLO c\r\n");
            for (var i = 0; i < 250; i++)
            {
                await raw.SayAsync("MAIL FROM:<a@example.org>\r\n");
                await raw.SayAsync($"RCPT TO:<reader{n}-{i}@example.org>\r\n");
                await raw.SayAsync("DATA\r\n");
                Assert.StartsWith("250", await raw.SayAsync(body), StringComparison.Ordinal);
            }
        }));
        var kept = inbox.Store.Page(0, 3000);
        Assert.Equal(2000, kept.Select(entry => entry.Recipients[0]).Distinct().Count());
        Assert.Equal((2000, 2000), (kept.Count, inbox.Store.Count));
    }

    private static MimeMessage Message(string subject, string to) => new()
    {
        From = { new MailboxAddress("Digest", "digest@example.com") },
        To = { new MailboxAddress("Jörg", to) },
        Subject = subject,
        Body = new TextPart("plain") { Text = "Zwölf Boxkämpfer", ContentTransferEncoding = ContentEncoding.EightBit },
    };
}
