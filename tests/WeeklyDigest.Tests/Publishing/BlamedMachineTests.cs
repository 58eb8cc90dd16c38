using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Where several machines send a mailing, one whose relay refuses it pauses it for all: it says where to look.</summary>
public sealed class BlamedMachineTests
{
    private static readonly string Here = $"On {Environment.MachineName}: ";

    [Theory]
    [InlineData(nameof(SmtpStage.MailFrom), "550 5.7.1 your address is not allowed", "Relay 'test' (127.0.0.1:")]
    [InlineData(nameof(SmtpStage.Connect), "554 5.7.1 go away", "Relay 'test' (127.0.0.1:")]
    [InlineData(nameof(SmtpStage.RcptTo), "550 5.1.1 No such user", "3 recipients in a row were refused")]
    public async Task The_reason_of_a_pause_names_the_machine_whose_relay_refused(string stage, string reply, string reason)
    {
        foreach (var isShared in (bool[])[true, false])
        {
            await using var place = EnginePlace.Open(moment => moment.Stage.ToString() == stage ? SmtpMove.Reply(reply) : SmtpMove.Accept, new DeliveryOptions { PauseAfterConsecutiveFailures = 3 });
            place.IsShared = isShared;
            var mailing = await place.PublishAsync(3);
            var result = await place.Start(relay => relay with { Connections = 1 }).RunAsync(mailing);
            Assert.Equal(MailingState.Paused, result.State);
            Assert.StartsWith((isShared ? Here : "") + reason, result.StateReason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_is_noted_of_a_relay_names_the_machine_that_met_it()
    {
        foreach (var isShared in (bool[])[true, false])
        {
            await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.Reply("554 5.7.1 go away") : SmtpMove.Accept);
            place.IsShared = isShared;
            await using var second = ScriptedSmtpServer.Start();
            await using var process = place.StartOver(EnginePlace.Relay("good", second) with { Weight = 9 }, EnginePlace.Relay("bad", place.Server));
            await process.RunAsync(await place.PublishAsync(100));
            var aside = Assert.Single(await place.Database.Relays.AsideAsync(TestContext.Current.CancellationToken));
            Assert.StartsWith((isShared ? Here : "") + "Relay 'bad' (127.0.0.1:", aside.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task No_machine_is_named_for_what_the_ledger_knows_of_all()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("550 5.1.1 No such user") : SmtpMove.Accept, new DeliveryOptions { PauseAfterConsecutiveFailures = 3 });
        place.IsShared = true;
        var first = await place.PublishAsync(2);
        await place.Start().RunAsync(first);
        var second = await place.PublishAsync(2, "week-2", number => $"s{number}@example.org", "others");
        var result = await place.Start().RunAsync(second);
        Assert.Equal(MailingState.Paused, result.State);
        Assert.Contains("over several runs", result.StateReason, StringComparison.Ordinal);
        Assert.DoesNotContain(Here, result.StateReason, StringComparison.Ordinal);
    }
}
