using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A relay's name leads to several machines, and not all of them can do the same.</summary>
public sealed class UnlikeMachinesTests
{
    // A connection that wrote a domain in ASCII does not carry what needs SMTPUTF8, and is opened anew.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_address_that_one_machine_cannot_carry_waits_for_another(bool withOtherRelay)
    {
        await using var place = EnginePlace.Open(
            moment => moment is { Stage: SmtpStage.Hello, Connection: 2 } ? SmtpMove.Reply("250-scripted.test\n250 8BITMIME") : SmtpMove.Accept,
            new DeliveryOptions { FirstRetryAfter = TimeSpan.FromSeconds(1) });
        await using var other = ScriptedSmtpServer.Start(new ScriptedSmtpOptions { Abilities = SmtpAbilities.Modern & ~SmtpAbilities.SmtpUtf8 });
        var mailing = await place.PublishAsync(2, address: number => number == 1 ? "reader1@bücher.example" : "mü2@example.org");
        var unlike = EnginePlace.Relay("unlike", place.Server) with { Connections = 1 };
        var process = withOtherRelay ? place.StartOver(unlike, EnginePlace.Relay("other", other)) : place.StartOver(unlike);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while ((await process.RunUntilAsync(mailing, limit.Token)).State != MailingState.Sent) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, limit.Token);

        var balance = await place.BalanceAsync(mailing);
        Assert.Equal((2L, 0L), (balance.Sent, balance.Failed));
        Assert.Contains(place.Server.Accepted, message => message.Recipient == "mü2@example.org");
        if (!withOtherRelay) Assert.Equal((3L, 3), (balance.Attempts, place.Server.Connections));
    }

    [Fact]
    public async Task A_relay_that_refuses_everybody_is_seen_although_it_is_not_asked_for_some_in_between()
    {
        await using var place = EnginePlace.Open(
            moment => moment is { Stage: SmtpStage.Hello, Connection: 2 } ? SmtpMove.Reply("250-scripted.test\n250 8BITMIME")
                : moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("550 5.1.1 No such user") : SmtpMove.Accept,
            new DeliveryOptions { PauseAfterConsecutiveFailures = 3 });
        var mailing = await place.PublishAsync(4, address: number => number == 2 ? "mü2@example.org" : $"reader{number}@bücher.example");
        var result = await place.StartOver(EnginePlace.Relay("unlike", place.Server) with { Connections = 1 }).RunAsync(mailing);

        Assert.Equal((MailingState.Paused, 1L, 3L), (result.State, result.Balance.Deferred, result.Balance.Failed));
        Assert.Contains("3 recipients in a row were refused", result.StateReason, StringComparison.Ordinal);
    }
}
