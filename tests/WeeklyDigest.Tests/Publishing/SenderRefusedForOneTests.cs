using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Smtp;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>What is said of the sender at RCPT: by the relay itself, to everybody, or by the one receiving domain that it asked.</summary>
public sealed class SenderRefusedForOneTests
{
    private const string Undeliverable =
        "550 5.1.1 <x@d9.example>: Recipient address rejected: undeliverable address: host mx.d9.example[192.0.2.1] said: 550 5.7.1 <digest@example.com>: Sender address rejected: Access denied (in reply to RCPT TO command)";

    private const string Callback = "550-Callback setup failed while verifying <digest@example.com>\n550-Response: 550 sender rejected\n550 Sender verify failed";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Undeliverable, 1, false)]
    [InlineData(Undeliverable, 4, false)]
    [InlineData(Undeliverable, 4, true)]
    [InlineData(Callback, 1, true)]
    [InlineData(Callback, 4, false)]
    public async Task One_recipient_fails_with_the_words_and_the_others_are_sent(string reply, int connections, bool two)
    {
        await using var place = EnginePlace.Open(moment => Poisoned(moment, reply));
        await using var second = ScriptedSmtpServer.Start(moment => Poisoned(moment, reply));
        var mailing = await place.PublishAsync(101, address: number => number == 1 ? "x@d9.example" : $"r{number}@d{number % 8}.example");
        var result = await place.StartOver(Relays(place, two ? second : null, connections)).RunAsync(mailing);

        Assert.Equal((MailingState.Sent, 100L, 1L), (result.State, result.Balance.Sent, result.Balance.Failed));
        var failed = Assert.Single(await place.DeliveriesAsync(mailing), report => report.State == DeliveryState.Failed);
        Assert.Equal("x@d9.example", failed.Address);
        Assert.Contains("ender", failed.Reply, StringComparison.Ordinal);
        Assert.Empty(await place.Database.Relays.AsideAsync(Cancel));
        Assert.Equal(0, result.Balance.Suppressed);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task A_domain_that_refuses_ten_in_a_row_fails_alone(int connections)
    {
        await using var place = EnginePlace.Open(moment => Poisoned(moment, Undeliverable));
        var mailing = await place.PublishAsync(110, address: number => number is > 40 and <= 50 ? $"x{number}@d9.example" : $"r{number}@d{number % 8}.example");
        var result = await place.StartOver(Relays(place, null, connections)).RunAsync(mailing);
        Assert.Equal((MailingState.Sent, 100L, 10L), (result.State, result.Balance.Sent, result.Balance.Failed));
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(4, 8)]
    [InlineData(1, 1)]
    [InlineData(4, 1)]
    public async Task A_relay_that_begins_to_refuse_the_sender_to_everybody_costs_one_at_the_most(int connections, int domains)
    {
        await using var place = EnginePlace.Open();
        place.Server.Script = moment => moment.Stage == SmtpStage.RcptTo && place.Server.AcceptedCount >= 50 ? SmtpMove.Reply("550 5.1.8 Sender address rejected") : SmtpMove.Accept;
        var mailing = await place.PublishAsync(300, address: number => $"r{number}@d{number % domains}.example");
        var process = place.StartOver(Relays(place, null, connections));
        var result = await process.RunAsync(mailing);
        Assert.Equal(MailingState.Paused, result.State);
        Assert.Contains("did not take the sender: 550 5.1.8", result.StateReason, StringComparison.Ordinal);
        Assert.InRange(result.Balance.Failed, 0, 1);

        // Resumed in vain: nobody else is touched.
        var failed = result.Balance.Failed;
        await ResumeAsync(place, mailing);
        result = await process.RunAsync(mailing);
        Assert.Equal((MailingState.Paused, failed), (result.State, result.Balance.Failed));

        place.Server.Script = _ => SmtpMove.Accept;
        await ResumeAsync(place, mailing);
        Assert.Equal((MailingState.Sent, 300 - failed), await process.RunAsync(mailing) is var last ? (last.State, last.Balance.Sent) : default);
    }

    [Fact]
    public async Task Whom_it_refuses_first_after_everybody_was_refused_fails_alone()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("550 5.1.8 Sender address rejected") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(50, address: number => number == 1 ? "x@d9.example" : $"r{number}@d{number % 8}.example");
        var process = place.StartOver(Relays(place, null, 1));
        Assert.Equal((MailingState.Paused, 0L), await process.RunAsync(mailing) is var first ? (first.State, first.Balance.Attempts) : default);

        place.Server.Script = moment => Poisoned(moment, Undeliverable);
        await ResumeAsync(place, mailing);
        Assert.Equal((MailingState.Sent, 49L, 1L), await process.RunAsync(mailing) is var last ? (last.State, last.Balance.Sent, last.Balance.Failed) : default);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(30, 4)]
    public async Task A_list_of_which_nobody_was_accepted_is_paused_and_nobody_touched(int recipients, int connections)
    {
        await using var place = EnginePlace.Open(moment => Poisoned(moment, Callback));
        var mailing = await place.PublishAsync(recipients, address: number => $"x{number}@d9.example");
        var result = await place.StartOver(Relays(place, null, connections)).RunAsync(mailing);
        Assert.Equal((MailingState.Paused, 0L, 0L), (result.State, result.Balance.Failed, result.Balance.Attempts));
        Assert.Contains("did not take the sender: 550", result.StateReason, StringComparison.Ordinal);
    }

    private static SmtpMove Poisoned(SmtpMoment moment, string reply)
        => moment.Stage == SmtpStage.RcptTo && moment.Recipient.EndsWith("@d9.example", StringComparison.Ordinal) ? SmtpMove.Reply(reply) : SmtpMove.Accept;

    private static RelayOptions[] Relays(EnginePlace place, ScriptedSmtpServer? second, int connections)
    {
        var first = EnginePlace.Relay("one", place.Server) with { Connections = connections };
        return second is null ? [first] : [first, EnginePlace.Relay("two", second) with { Connections = connections }];
    }

    private static Task<bool> ResumeAsync(EnginePlace place, long mailing)
        => place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, place.Time.GetUtcNow(), Cancel);
}
