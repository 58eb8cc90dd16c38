using WeeklyDigest.Deliveries;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>A message that may not leave although the relay has accepted its sender and recipient.</summary>
public sealed class HeldBackMessageTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("None")]
    [InlineData("Modern, Chunking")]
    public async Task Is_taken_back_unsaid_and_the_connection_carries_the_next(string announced)
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = Enum.Parse<SmtpAbilities>(announced) });
        await using var session = Session(server);
        var asked = 0;
        var message = new MessageComposer(Samples.Content()).Compose(Samples.Recipient(), await session.OpenAsync(Cancel)) with { MayLeave = () => ++asked > 1 };
        Assert.Equal(SendResult.HeldBack, (await SendAsync(session, message)).Result);
        Assert.Equal(["EHLO", "MAIL", "RCPT", "RSET"], server.Commands.Select(command => command.Line[..4]));
        Assert.Equal(SendResult.Accepted, (await SendAsync(session, message)).Result);
        Assert.Equal((1, 1), (server.Connections, server.AcceptedCount));
    }

    [Theory]
    [InlineData("None")]
    [InlineData("Modern, Chunking")]
    public async Task Is_broken_off_when_the_relay_has_begun_to_take_it(string announced)
    {
        await using var server = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = Enum.Parse<SmtpAbilities>(announced) });
        await using var session = Session(server);
        var message = new MessageComposer(Samples.Content()).Compose(Samples.Recipient(), await session.OpenAsync(Cancel));
        var broken = await SendAsync(session, message with { Leaving = () => throw new BrokenOffException() });
        Assert.Equal(SendResult.HeldBack, broken.Result);
        Assert.Equal(SendResult.Accepted, (await SendAsync(session, message)).Result);
        Assert.Equal((2, 1), (server.Connections, server.AcceptedCount));
    }

    [Fact]
    public async Task Is_not_asked_for_when_the_relay_refuses_it()
    {
        await using var server = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("550 5.1.1 no such user") : SmtpMove.Accept);
        await using var session = Session(server);
        var asked = 0;
        var message = Samples.Compose(Samples.Modern) with { MayLeave = () => ++asked > 0 };
        Assert.Equal(SendResult.Rejected, (await SendAsync(session, message)).Result);
        Assert.Equal(0, asked);
    }

    private static Task<SendOutcome> SendAsync(SmtpSession session, ComposedMessage message)
        => session.SendAsync(message, Samples.Bounces, Samples.Address("ada@example.org"), Cancel);

    private static SmtpSession Session(ScriptedSmtpServer server)
        => new(new RelayOptions { Name = "main", Host = "127.0.0.1", Port = server.Port, Security = RelaySecurity.None }, TimeProvider.System);
}
