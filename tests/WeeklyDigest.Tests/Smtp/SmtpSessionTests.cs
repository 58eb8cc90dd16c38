using System.Net.Sockets;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>One relay that does as it is told, on a real socket.</summary>
public sealed class SmtpSessionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("None")]
    [InlineData("EightBitMime, Size")]
    [InlineData("Modern")]
    [InlineData("Modern, Chunking")]
    public async Task Hands_over_the_composed_bytes_unchanged(string announced)
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = Enum.Parse<SmtpAbilities>(announced), KeepBytes = true });
        await using var session = Session(server);
        var composer = new MessageComposer(Samples.Content());
        List<byte[]> sent = [];
        foreach (var name in new[] { "Ada", new string('x', 200), "王", "" })
        {
            var message = composer.Compose(Samples.Recipient(name: name), await session.OpenAsync(Cancel));
            Assert.Equal(new SendOutcome(SendResult.Accepted, "250 2.0.0 kept"), await SendAsync(session, message));
            sent.Add(message.Bytes.ToArray());
        }
        Assert.Equal(sent, server.Accepted.Select(message => message.Bytes.ToArray()));
        Assert.Equal(1, server.Connections);
        Assert.Equal(announced.Contains("Chunking", StringComparison.Ordinal), server.Commands.Any(command => command.Line.StartsWith("BDAT ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Hands_over_large_messages_whatever_their_length_is_a_multiple_of()
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { KeepBytes = true });
        await using var session = Session(server);
        foreach (var size in new[] { 3000, 4096 - 900, 65536 - 900, 200_000 })
        {
            foreach (var extra in Enumerable.Range(0, 5))
            {
                var message = Composed(size + extra);
                Assert.Equal(SendResult.Accepted, (await SendAsync(session, message)).Result);
                Assert.Equal(message.Bytes.ToArray(), server.Accepted[^1].Bytes.ToArray());
            }
        }
    }

    [Fact]
    public async Task Asks_for_8BITMIME_and_SMTPUTF8_when_and_only_when_needed()
    {
        await using var server = ScriptedSmtpServer.Start();
        await using var session = Session(server);
        await SendAsync(session, Samples.Compose(Samples.Old), "ascii@example.org");
        await SendAsync(session, Samples.Compose(Samples.Modern), "eight@example.org");
        await SendAsync(session, Samples.Compose(Samples.Modern, Samples.Recipient("jürgen@example.org")), "jürgen@example.org");
        await SendAsync(session, Samples.Compose(Samples.Modern), "idn@bücher.example");
        await SendAsync(session, Samples.Compose(Samples.Modern, Samples.Recipient("jürgen@example.org")), "jürgen@example.org");
        Assert.Equal(
            ["ascii@example.org", "eight@example.org", "jürgen@example.org", "idn@xn--bcher-kva.example", "jürgen@example.org"],
            server.Accepted.Select(message => message.Recipient));
        Assert.Equal(
            ["", "BODY=8BITMIME", "SMTPUTF8 BODY=8BITMIME", "BODY=8BITMIME", "SMTPUTF8 BODY=8BITMIME"],
            server.Accepted.Select(message => System.Text.RegularExpressions.Regex.Replace(message.MailParameters, " ?SIZE=\\d+ ?", " ").Trim()));
    }

    [Fact]
    public async Task Rejects_an_address_beyond_ASCII_where_the_relay_lacks_SMTPUTF8()
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = SmtpAbilities.EightBitMime });
        await using var session = Session(server);
        var outcome = await SendAsync(session, Samples.Compose(Samples.Modern, Samples.Recipient("jürgen@example.org")), "jürgen@example.org");
        Assert.Equal(SendResult.Rejected, outcome.Result);
        Assert.Contains("SMTPUTF8", outcome.Reply, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Commands, command => command.Line.StartsWith("MAIL", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("straße.example", "xn--strae-oqa.example")]
    [InlineData("faß.例え.jp", "xn--fa-hia.xn--r8jz45g.jp")]
    [InlineData("βόλος.example", "xn--nxasmm1c.example")]
    public async Task Never_writes_another_domain_than_the_address_has(string domain, string wire)
    {
        await using var server = ScriptedSmtpServer.Start();
        await using var session = Session(server);
        var address = Samples.Address("ada@" + domain);
        var outcome = await SendAsync(session, to: address.Value);
        Assert.Equal((SendResult.Accepted, address.WireValue), (outcome.Result, server.Accepted[0].Recipient));
        Assert.Equal("ada@" + wire, address.WireValue);
    }

    [Theory]
    [InlineData("RcptTo", "450 4.2.0 greylisted", "Deferred")]
    [InlineData("RcptTo", "550 5.1.1 no such user", "Rejected")]
    [InlineData("MailFrom", "452 4.3.1 disk", "Deferred")]
    [InlineData("Data", "451 4.3.0 later", "Deferred")]
    [InlineData("Data", "554 5.7.1 no", "Rejected")]
    [InlineData("Message", "451 4.3.0 later", "Deferred")]
    [InlineData("Message", "554 5.7.1 policy", "Rejected")]
    public async Task Tells_a_refusal_of_a_message_and_keeps_the_connection(string stage, string reply, string expected)
    {
        var first = true;
        await using var server = ScriptedSmtpServer.Start(moment => moment.Stage == Enum.Parse<SmtpStage>(stage) && Interlocked.Exchange(ref first, false) ? SmtpMove.Reply(reply) : SmtpMove.Accept);
        await using var session = Session(server);
        var outcome = await SendAsync(session);
        Assert.Equal((Enum.Parse<SendResult>(expected), reply), (outcome.Result, outcome.Reply));
        Assert.Equal(outcome.Result == SendResult.Rejected, outcome.Refusal != Refusal.None);
        Assert.Equal(SendResult.Accepted, (await SendAsync(session)).Result);
        Assert.Equal((1, 1), (server.Connections, server.AcceptedCount));
    }

    [Fact]
    public async Task Takes_a_421_before_the_recipient_for_the_relay_s_own_trouble_and_goes_on_over_a_new_connection()
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment is { Stage: SmtpStage.MailFrom, Connection: 1 } ? SmtpMove.ReplyThenClose("421 4.3.2 going down") : SmtpMove.Accept);
        await using var session = Session(server);
        Assert.Equal(SendResult.NotStarted, (await SendAsync(session)).Result);
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        Assert.True(trouble.IsTransient);
        Assert.Contains("421 4.3.2 going down", trouble.Message, StringComparison.Ordinal);
        Assert.True((await session.OpenAsync(Cancel)).EightBitMime);
        Assert.Equal(SendResult.Accepted, (await SendAsync(session)).Result);
        Assert.Equal(2, server.Connections);
    }

    [Theory]
    [InlineData("RcptTo")]
    [InlineData("Message")]
    public async Task Takes_a_421_for_a_recipient_for_a_word_of_the_receiving_domain_and_goes_on_over_a_new_connection(string stage)
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment.Stage == Enum.Parse<SmtpStage>(stage) && moment.Connection == 1 ? SmtpMove.ReplyThenClose("421 4.7.0 slow down") : SmtpMove.Accept);
        await using var session = Session(server);
        var outcome = await SendAsync(session);
        Assert.Equal((SendResult.Deferred, true), (outcome.Result, outcome.SlowDown));
        Assert.True((await session.OpenAsync(Cancel)).EightBitMime);
        Assert.Equal(SendResult.Accepted, (await SendAsync(session)).Result);
        Assert.Equal(2, server.Connections);
    }

    [Theory]
    [InlineData("MailFrom", "550 5.7.1 not your domain", "did not take the sender", "Check Newsletter:From")]
    [InlineData("MailFrom", "552 5.3.4 too big", "did not take the sender", "Check Newsletter:From")]
    [InlineData("MailFrom", "530 5.7.0 log in first", "wants a login first", "Set its Username and Password.")]
    [InlineData("RcptTo", "530 5.7.0 log in first", "wants a login first", "Set its Username and Password.")]
    [InlineData("RcptTo", "550 5.1.8 sender domain", "did not take the sender", "Check Newsletter:From")]
    public async Task Blames_no_recipient_for_a_refused_sender(string stage, string reply, string what, string advice)
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment.Stage == Enum.Parse<SmtpStage>(stage) ? SmtpMove.Reply(reply) : SmtpMove.Accept);
        await using var session = Session(server);
        // Whoever knows what else the relay accepts decides whether this one is the recipient's.
        Assert.Equal(new SendOutcome(SendResult.NotStarted, reply) { Refusal = reply.Contains("5.1.8", StringComparison.Ordinal) ? Refusal.Policy : Refusal.None }, await SendAsync(session));
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        Assert.False(trouble.IsTransient);
        Assert.Contains($"{what}: {reply}. {advice}", trouble.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("550 5.7.1 not your domain", "RcptTo", "250 2.1.5 ok")]
    [InlineData("553 5.1.8 no such sender", "RcptTo", "550 5.1.1 no such user")]
    [InlineData("553 sender rejected", "RcptTo", null)]
    public async Task Lets_the_answer_to_MAIL_decide_whatever_is_pipelined_behind_it(string reply, string stage, string? next)
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            ForgetsRefusedSenders = true,
            Script = moment => moment.Stage == SmtpStage.MailFrom ? SmtpMove.Reply(reply)
                : moment.Stage != Enum.Parse<SmtpStage>(stage) ? SmtpMove.Accept : next is null ? SmtpMove.Drop : SmtpMove.Reply(next),
        });
        await using var session = Session(server);
        Assert.Equal(new SendOutcome(SendResult.NotStarted, reply), await SendAsync(session));
        Assert.False((await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask())).IsTransient);
    }

    [Theory]
    [InlineData("RcptTo", "Deferred")]
    [InlineData("Data", "Deferred")]
    [InlineData("Message", "Unknown")]
    [InlineData("MailFrom", "NotStarted")]
    public async Task Tells_by_the_stage_what_a_lost_connection_means(string stage, string expected)
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment.Stage == Enum.Parse<SmtpStage>(stage) && moment.Connection == 1 ? SmtpMove.Drop : SmtpMove.Accept);
        await using var session = Session(server);
        Assert.Equal(Enum.Parse<SendResult>(expected), (await SendAsync(session)).Result);
        if (expected == "NotStarted") Assert.True((await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask())).IsTransient);
        Assert.Equal(SendResult.Accepted, (await SendAsync(session)).Result);
        Assert.Equal((2, 1), (server.Connections, server.AcceptedCount));
    }

    [Fact]
    public async Task Never_calls_a_message_deferred_that_the_relay_kept()
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message ? SmtpMove.KeepThenDrop : SmtpMove.Accept);
        await using var session = Session(server);
        Assert.Equal(new SendOutcome(SendResult.Unknown, "The connection was lost."), await SendAsync(session));
        Assert.Equal(1, server.AcceptedCount);
    }

    [Theory]
    [InlineData("Modern")]
    [InlineData("None")]
    public async Task Defers_a_message_cut_off_in_its_body(string abilities)
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions
        {
            Abilities = Enum.Parse<SmtpAbilities>(abilities),
            Script = moment => moment.Stage == SmtpStage.Data ? SmtpMove.CutBodyAfter(1000) : SmtpMove.Accept,
        });
        await using var session = Session(server);
        // More than the kernels of both sides hold between them.
        Assert.Equal(SendResult.Deferred, (await SendAsync(session, Composed(1_000_000))).Result);
    }

    [Fact]
    public async Task Comes_back_silently_when_the_idle_relay_closed_the_connection()
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment is { Stage: SmtpStage.Message, Connection: 1 } ? SmtpMove.ReplyThenClose("250 2.0.0 kept") : SmtpMove.Accept);
        await using var session = Session(server);
        Assert.Equal(SendResult.Accepted, (await SendAsync(session)).Result);
        await server.WaitForAsync(s => s.OpenConnections == 0, TimeSpan.FromSeconds(10), "the relay has closed");
        Assert.Equal(SendResult.Accepted, (await SendAsync(session)).Result);
        Assert.Equal((2, 2), (server.Connections, server.AcceptedCount));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Comes_back_once_when_the_relay_gives_up_the_connection_as_the_next_message_begins(bool withWords)
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment is { Stage: SmtpStage.MailFrom, Connection: 1, Time: 2 }
            ? withWords ? SmtpMove.ReplyThenClose("421 4.4.2 idle") : SmtpMove.Drop
            : SmtpMove.Accept);
        await using var session = Session(server);
        Assert.Equal(SendResult.Accepted, (await SendAsync(session)).Result);
        Assert.Equal(SendResult.Accepted, (await SendAsync(session)).Result);
        Assert.Equal((2, 2), (server.Connections, server.AcceptedCount));
        await session.OpenAsync(Cancel);
    }

    [Fact]
    public async Task Renews_the_connection_after_the_set_number_of_messages()
    {
        await using var server = ScriptedSmtpServer.Start();
        await using (var session = Session(server, relay => relay with { MessagesPerConnection = 2 }))
        {
            for (var i = 0; i < 5; i++) Assert.Equal(SendResult.Accepted, (await SendAsync(session)).Result);
        }
        Assert.Equal(3, server.Connections);
        Assert.Equal(3, server.Commands.Count(command => command.Line == "QUIT"));
    }

    [Theory]
    [InlineData("554 5.7.1 go away", false)]
    [InlineData("421 4.3.2 too many", true)]
    public async Task Tells_a_relay_that_does_not_greet(string greeting, bool isTransient)
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.ReplyThenClose(greeting) : SmtpMove.Accept);
        await using var session = Session(server);
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        Assert.Equal(isTransient, trouble.IsTransient);
        Assert.Contains(greeting, trouble.Message, StringComparison.Ordinal);
        Assert.Equal(SendResult.NotStarted, (await SendAsync(session)).Result);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tells_a_relay_that_is_not_there(bool noSuchName)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback.MapToIPv6(), 0));
        var port = ((System.Net.IPEndPoint)listener.LocalEndPoint!).Port;
        await using var session = new SmtpSession(new RelayOptions { Name = "main", Host = noSuchName ? "no-such-host.invalid" : "127.0.0.1", Port = port, Security = RelaySecurity.None }, TimeProvider.System);
        var trouble = await Assert.ThrowsAsync<RelayException>(() => session.OpenAsync(Cancel).AsTask());
        Assert.True(trouble.IsTransient);
        Assert.StartsWith("Relay 'main' (", trouble.Message, StringComparison.Ordinal);
    }

    private static ComposedMessage Composed(int size)
    {
        var line = new string('x', 76) + "\n";
        var text = string.Concat(Enumerable.Repeat(line, size / line.Length)) + new string('y', size % line.Length);
        return Samples.Compose(Samples.Modern, content: Samples.Content(text: WeeklyDigest.Merging.MergeTemplate.Of(text), html: WeeklyDigest.Merging.MergeTemplate.Of("<p>x</p>")));
    }

    private static Task<SendOutcome> SendAsync(SmtpSession session, ComposedMessage? message = null, string to = "ada@example.org")
        => session.SendAsync(message ?? Samples.Compose(Samples.Modern), Samples.Bounces, Samples.Address(to), Cancel);

    private static SmtpSession Session(ScriptedSmtpServer server, Func<RelayOptions, RelayOptions>? change = null)
    {
        var relay = new RelayOptions { Name = "main", Host = "127.0.0.1", Port = server.Port, Security = RelaySecurity.None };
        return new SmtpSession(change?.Invoke(relay) ?? relay, TimeProvider.System);
    }
}
