using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

public sealed class DeliveryEngineTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everybody_gets_the_issue_once_over_few_connections()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(1000);
        var result = await place.Start().RunAsync(mailing);

        Assert.Equal(MailingState.Sent, result.State);
        Assert.Equal(1000, result.Balance.Sent);
        Assert.Equal(1000, result.Balance.Attempts);
        Assert.Equal(1000, (await place.ReconcileAsync(mailing)).Sent);
        Assert.InRange(place.Server.MostOpenConnections, 1, 4);
        Assert.InRange(place.Server.Connections, 1, 4);
    }

    [Fact]
    public async Task A_message_id_is_the_deliverys_own()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(3);
        await place.Start().RunAsync(mailing);

        var expected = (await place.DeliveriesAsync(mailing))
            .Select(row => EnginePlace.Tokens.MessageIdLeft(new DeliveryId(mailing, row.SubscriberId)) + "@weekly.example");
        Assert.Equal(expected.Order(), place.Server.Accepted.Select(message => message.MessageId).Order());
    }

    [Fact]
    public async Task A_4xx_is_tried_again_when_it_is_due_and_not_before()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
        await using var place = EnginePlace.Open(
            moment => moment is { Stage: SmtpStage.RcptTo, Time: 1 } && moment.Recipient.StartsWith("r1", StringComparison.Ordinal) ? SmtpMove.Reply("450 4.2.1 try later") : SmtpMove.Accept,
            time: clock);
        var mailing = await place.PublishAsync(20);
        var process = place.Start();

        var first = await process.RunAsync(mailing);
        Assert.Equal((MailingState.Sending, 9L, 11L), (first.State, first.Balance.Sent, first.Balance.Deferred));
        Assert.True(first.NextAttemptAt >= clock.GetUtcNow().AddMinutes(5));
        Assert.Equal("450 4.2.1 try later", (await place.DeliveriesAsync(mailing))[0].Reply);

        clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(11, (await process.RunAsync(mailing)).Balance.Deferred);

        clock.Advance(TimeSpan.FromMinutes(3));
        var last = await process.RunAsync(mailing);
        Assert.Equal((MailingState.Sent, 20L, 31L), (last.State, last.Balance.Sent, last.Balance.Attempts));
        await place.ReconcileAsync(mailing);
    }

    [Fact]
    public async Task What_is_deferred_for_too_long_fails()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("451 4.3.0 busy") : SmtpMove.Accept, time: clock);
        var mailing = await place.PublishAsync(3);
        var process = place.Start();
        var rounds = 0;
        for (var result = await process.RunAsync(mailing); result.State == MailingState.Sending; rounds++)
        {
            clock.Advance(result.NextAttemptAt!.Value - clock.GetUtcNow());
            result = await process.RunAsync(mailing);
        }

        Assert.InRange(rounds, 15, 100);
        Assert.All(await place.DeliveriesAsync(mailing), row => Assert.StartsWith("Gave up after ", row.Reply, StringComparison.Ordinal));
        Assert.Equal(3, (await place.ReconcileAsync(mailing)).Failed);
        Assert.InRange(clock.GetUtcNow(), new DateTimeOffset(2026, 3, 3, 20, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 3, 4, 8, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public async Task What_could_not_be_tried_at_all_is_given_up_too()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Connect ? SmtpMove.ReplyThenClose("421 4.3.2 going down") : SmtpMove.Accept, time: clock);
        var mailing = await place.PublishAsync(3);
        var running = place.Start().RunUntilAsync(mailing, Cancel);
        await Eventually.HoldsAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromMinutes(20));
                return running.IsCompleted;
            },
            "the mailing ends", TimeSpan.FromMinutes(1));

        Assert.Equal((MailingState.Sent, 3L, 0L), ((await running).State, (await running).Balance.Failed, (await running).Balance.Attempts));
        Assert.All(await place.DeliveriesAsync(mailing), row => Assert.Equal("Gave up: its turn did not come, and nothing of the mailing was accepted any more in 3.00:00:00, the time to give up.", row.Reply));
        Assert.True(clock.GetUtcNow() >= new DateTimeOffset(2026, 3, 4, 8, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public async Task A_domain_that_refuses_twenty_times_in_a_row_is_left_alone()
    {
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("550 5.7.1 blocked") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(100);
        var process = place.Start();
        var result = await process.RunAsync(mailing);

        Assert.Equal(MailingState.Paused, result.State);
        Assert.InRange(result.Balance.Failed, 20, 23);
        Assert.StartsWith($"example.org refused {result.Balance.Failed} messages in a row and is left alone until the mailing is resumed. Its last words: 550 5.7.1 blocked", result.StateReason, StringComparison.Ordinal);
        Assert.Equal(100 - result.Balance.Failed, result.Balance.Pending);
        Assert.Equal(2, process.Warnings.Count);
        Assert.StartsWith("week-1: example.org refuses this mailing", process.Warnings.First(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_5xx_is_final()
    {
        await using var place = EnginePlace.Open(moment => moment is { Stage: SmtpStage.RcptTo, Recipient: "r2@example.org" } ? SmtpMove.Reply("550 5.1.1 no such user") : SmtpMove.Accept);
        var mailing = await place.PublishAsync(5);
        var process = place.Start();
        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing)).State);
        await process.RunAsync(mailing);

        var row = Assert.Single(await place.DeliveriesAsync(mailing), report => report.State == DeliveryState.Failed);
        Assert.Equal(("r2@example.org", 1, "550 5.1.1 no such user"), (row.Address, row.Attempts, row.Reply));
        Assert.Equal(4, (await place.ReconcileAsync(mailing)).Sent);
    }

    [Fact]
    public async Task Refusals_in_a_row_pause_the_mailing_with_the_relays_words()
    {
        await using var place = EnginePlace.Open(
            moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("550 5.7.1 blocked") : SmtpMove.Accept,
            new DeliveryOptions { PauseAfterConsecutiveFailures = 10 });
        var mailing = await place.PublishAsync(500);
        var result = await place.Start().RunAsync(mailing);

        Assert.Equal(MailingState.Paused, result.State);
        Assert.Contains("550 5.7.1 blocked", result.StateReason, StringComparison.Ordinal);
        Assert.InRange(result.Balance.Failed, 10, 13);
        Assert.Equal(500 - result.Balance.Failed, result.Balance.Pending);
    }

    [Fact]
    public async Task A_lost_answer_is_uncertain_and_never_sent_again_by_itself()
    {
        await using var place = EnginePlace.Open(moment => moment is { Stage: SmtpStage.Message, Recipient: "r3@example.org" } ? SmtpMove.KeepThenDrop : SmtpMove.Accept);
        var mailing = await place.PublishAsync(10);
        var process = place.Start();
        Assert.Equal(MailingState.Sent, (await process.RunAsync(mailing)).State);
        await process.RunAsync(mailing);

        Assert.Equal("r3@example.org", Assert.Single(await place.DeliveriesAsync(mailing), row => row.State == DeliveryState.Uncertain).Address);
        Assert.Equal(10, place.Server.AcceptedCount);
        Assert.Equal(9, (await place.BalanceAsync(mailing)).Sent);
    }

    [Fact]
    public async Task Where_the_settings_say_so_a_lost_answer_is_sent_again_once_with_the_same_bytes()
    {
        await using var place = EnginePlace.Open(
            new ScriptedSmtpOptions
            {
                KeepBytes = true,
                Script = moment => moment.Stage == SmtpStage.Message && (moment is { Recipient: "r3@example.org", Time: 1 } || moment.Recipient == "r4@example.org") ? SmtpMove.KeepThenDrop : SmtpMove.Accept,
            },
            new DeliveryOptions { OnUncertain = OnUncertain.Resend });
        var mailing = await place.PublishAsync(10);
        var balance = (await place.Start().RunAsync(mailing)).Balance;

        Assert.Equal((9L, 1L), (balance.Sent, balance.Uncertain));
        var both = place.Server.Accepted.Where(message => message.Recipient == "r3@example.org").Select(message => Convert.ToHexString(message.Bytes.Span)).ToList();
        Assert.Equal(2, both.Count);
        Assert.Single(both.Distinct());
        Assert.Equal(2, place.Server.Accepted.Count(message => message.Recipient == "r4@example.org"));
    }

    [Fact]
    public async Task A_scheduled_mailing_waits_and_a_paused_one_returns_at_once()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
        await using var place = EnginePlace.Open(time: clock);
        var mailing = await place.PublishAsync(5);
        Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Sending, MailingState.Scheduled], MailingState.Paused, "by hand", clock.GetUtcNow(), Cancel));
        var result = await place.Start().RunAsync(mailing);

        Assert.Equal((MailingState.Paused, "by hand", 5L), (result.State, result.StateReason, result.Balance.Pending));
        Assert.Equal(0, place.Server.Connections);
    }

    [Fact]
    public async Task A_mailing_that_does_not_exist_is_refused()
    {
        await using var place = EnginePlace.Open();
        var process = place.Start();
        await Assert.ThrowsAsync<RefusedException>(() => process.RunAsync(99).WaitAsync(Limit, Cancel));
    }
}
