using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A relay answers 4xx at MAIL, when it has not heard of the recipient: a full disk, too much load.</summary>
public sealed class BusyRelayTests
{
    [Fact]
    public async Task While_another_one_works_nobody_is_deferred_for_it()
    {
        await using var place = EnginePlace.Open(Busy);
        await using var second = ScriptedSmtpServer.Start(moment => moment.Stage == SmtpStage.Message
            ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System), SmtpMove.Accept)
            : SmtpMove.Accept);
        var mailing = await place.PublishAsync(300);
        var result = await place.StartOver(EnginePlace.Relay("busy", place.Server), EnginePlace.Relay("other", second)).RunAsync(mailing);

        Assert.Equal((MailingState.Sent, 300L, 300L, 300), (result.State, result.Balance.Sent, result.Balance.Attempts, second.AcceptedCount));
        Assert.Equal(300, second.Accepted.Select(message => message.Recipient).Distinct().Count());
    }

    [Fact]
    public async Task Where_all_are_busy_everybody_is_tried_once_and_waits()
    {
        await using var place = EnginePlace.Open(Busy);
        await using var second = ScriptedSmtpServer.Start(Busy);
        var mailing = await place.PublishAsync(40);
        var result = await place.StartOver(EnginePlace.Relay("first", place.Server), EnginePlace.Relay("second", second)).RunAsync(mailing);

        Assert.Equal((MailingState.Sending, 40L, 40L), (result.State, result.Balance.Deferred, result.Balance.Attempts));
        Assert.All(await place.DeliveriesAsync(mailing), row => Assert.Equal((DeliveryState.Deferred, "452 4.3.1 Insufficient system storage"), (row.State, row.Reply)));
    }

    private static SmtpMove Busy(SmtpMoment moment) => moment.Stage == SmtpStage.MailFrom ? SmtpMove.Reply("452 4.3.1 Insufficient system storage") : SmtpMove.Accept;
}
