using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A relay that announces SMTPUTF8 and does not take it in MAIL: it lacks it, and nobody but whose address needs it is concerned.</summary>
public sealed class Utf8RefusedAtSenderTests
{
    private const string Unsupported = "555 5.5.4 Unsupported option: SMTPUTF8";

    [Theory]
    [InlineData(Unsupported, 1)]
    [InlineData(Unsupported, 4)]
    [InlineData("504 SMTPUTF8 not implemented", 1)]
    [InlineData("501 5.5.4 Syntax error in parameters", 1)]
    public async Task One_address_fails_with_the_words_and_the_others_are_sent(string reply, int connections)
    {
        await using var place = EnginePlace.Open(moment => Refuse(moment, reply));
        var mailing = await place.PublishAsync(101, address: number => number == 1 ? "grün@d1.example" : $"r{number}@example.org");
        var result = await place.Start(relay => relay with { Connections = connections }).RunAsync(mailing);

        Assert.Equal((MailingState.Sent, 100L, 1L), (result.State, result.Balance.Sent, result.Balance.Failed));
        var failed = Assert.Single(await place.DeliveriesAsync(mailing), report => report.State == DeliveryState.Failed);
        Assert.Equal(("grün@d1.example", $"The address has letters beyond ASCII before the @, which relay 'test' does not carry: {reply}"), (failed.Address, failed.Reply));
    }

    [Fact]
    public async Task Another_relay_that_carries_it_gets_it()
    {
        await using var place = EnginePlace.Open(moment => Refuse(moment, Unsupported), new DeliveryOptions { FirstRetryAfter = TimeSpan.FromSeconds(1) });
        await using var second = ScriptedSmtpServer.Start();
        var mailing = await place.PublishAsync(40, address: number => $"mü{number}@example.org");
        var process = place.StartOver(EnginePlace.Relay("first", place.Server) with { Connections = 1, Weight = 9 }, EnginePlace.Relay("second", second));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while ((await process.RunUntilAsync(mailing, limit.Token)).Balance is { Sent: < 40, Failed: 0 }) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, limit.Token);

        Assert.Equal((40L, 0, 40), ((await place.BalanceAsync(mailing)).Sent, place.Server.AcceptedCount, second.AcceptedCount));
        // Once it was remembered as lacking it, it was not asked any more.
        Assert.InRange(place.Server.Commands.Count(command => command.Line.Contains("SMTPUTF8", StringComparison.Ordinal)), 0, 4);
    }

    [Fact]
    public async Task Said_to_a_message_without_it_the_relay_is_to_blame()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.MailFrom ? SmtpMove.Reply("555 5.5.4 Unsupported option: SIZE") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(20);
        var result = await place.Start().RunAsync(mailing);
        Assert.Equal((MailingState.Paused, 20L, 0L), (result.State, result.Balance.Pending, result.Balance.Attempts));
        Assert.Contains("did not take the sender: 555 5.5.4", result.StateReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_relay_announces_it_any_number_of_such_addresses_fail_and_the_others_are_sent()
    {
        await using var place = EnginePlace.Open(new ScriptedSmtpOptions { Abilities = SmtpAbilities.Modern & ~SmtpAbilities.SmtpUtf8 });
        var mailing = await place.PublishAsync(160, address: number => number % 8 == 1 ? $"r{number}@example.org" : $"mü{number}@d{number}.example");
        var process = place.Start();
        var result = await process.RunAsync(mailing);

        Assert.Equal((MailingState.Sent, null, 20L, 140L), (result.State, result.StateReason, result.Balance.Sent, result.Balance.Failed));
        Assert.All((await place.DeliveriesAsync(mailing)).Where(report => report.State == DeliveryState.Failed), report => Assert.Contains("no relay of the settings carries", report.Reply, StringComparison.Ordinal));
        Assert.Empty(process.Warnings);
    }

    private static SmtpMove Refuse(SmtpMoment moment, string reply)
        => moment.Stage == SmtpStage.MailFrom && moment.Line.Contains("SMTPUTF8", StringComparison.Ordinal) ? SmtpMove.Reply(reply) : SmtpMove.Accept;
}
