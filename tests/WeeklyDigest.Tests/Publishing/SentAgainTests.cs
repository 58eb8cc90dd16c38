using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Tests.Relays;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>A further copy that is not sent after all, because the mailing was cancelled or the recipient left: the first one may have arrived.</summary>
public sealed class SentAgainTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource arrived = new();
    private readonly TaskCompletionSource answer = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_is_lost_after_the_mailing_was_cancelled_or_the_recipient_left_leaves_the_delivery_uncertain(bool cancelled)
    {
        await using var place = Holding("r1@example.org", SmtpMove.KeepThenDrop, OnUncertain.Resend);
        var mailing = await place.PublishAsync(1);
        var running = place.Start().RunUntilAsync(mailing, Cancel);
        await arrived.Task.WaitAsync(Limit, Cancel);
        if (cancelled) await CancelAsync(place, mailing);
        else Assert.True(await place.Database.Subscribers.UnsubscribeAsync(1, "link", Cancel));
        answer.SetResult();

        var result = await running.WaitAsync(Limit, Cancel);
        Assert.Equal((cancelled ? MailingState.Cancelled : MailingState.Sent, 1), (result.State, result.Balance.Uncertain));
        var row = Assert.Single(await place.DeliveriesAsync(mailing));
        Assert.Equal((DeliveryState.Uncertain, 0, 1), (row.State, row.Resent, row.Attempts));
        Assert.Equal(1, place.Server.AcceptedCount);
    }

    [Fact]
    public async Task What_a_run_holds_to_send_it_again_when_the_mailing_is_cancelled_is_uncertain_at_its_end()
    {
        await using var place = Holding("r50@example.org", SmtpMove.Accept, OnUncertain.Hold);
        var mailing = await place.PublishAsync(200);
        await LoseAsync(place, mailing, 200);
        var running = place.Start(relay => relay with { Connections = 1 }).RunUntilAsync(mailing, Cancel);
        await arrived.Task.WaitAsync(Limit, Cancel);
        Assert.True((await place.BalanceAsync(mailing)).Claimed > 0);
        await CancelAsync(place, mailing);
        answer.SetResult();

        Assert.Equal(MailingState.Cancelled, (await running.WaitAsync(Limit, Cancel)).State);
        var balance = await place.ReconcileAsync(mailing);
        Assert.Equal((50, 150), (balance.Sent, balance.Uncertain));
        Assert.All((await place.DeliveriesAsync(mailing)).Skip(50), row => Assert.Equal((DeliveryState.Uncertain, 0, 1), (row.State, row.Resent, row.Attempts)));
    }

    [Theory]
    [InlineData(OnUncertain.Hold, 6)]
    [InlineData(OnUncertain.Resend, 0)]
    public async Task What_was_kept_back_for_a_relay_that_refuses_everybody_is_sent_again_when_that_is_seen_where_that_is_the_setting(OnUncertain onUncertain, int uncertain)
    {
        await using var place = EnginePlace.Open(
            moment => moment.Stage == SmtpStage.RcptTo ? SmtpMove.Reply("550 5.1.1 User unknown") : SmtpMove.Accept, new DeliveryOptions { OnUncertain = onUncertain });
        var (other, refused) = (await place.PublishAsync(6, "week-2"), await place.PublishAsync(7));
        await LoseAsync(place, other, 6);
        var ledger = place.Database.Ledger;
        foreach (var row in (await ClaimAsync(refused)).Deliveries)
        {
            var now = place.Time.GetUtcNow();
            var refusal = new LedgerWrite(row.Id, row.Stamp, DeliveryState.Sending, DeliveryState.Failed, CountAttempt: true, "550 5.1.1 User unknown", null, now);
            await ledger.WriteAsync([DeliveryVerdicts.Begin(row, DeliveryState.Claimed, now), refusal with { Refusal = Refusal.Address, Relay = new RelayStanding("test") }], Cancel);
        }
        Assert.Empty((await ClaimAsync(other)).Deliveries);
        Assert.Equal(6, (await place.BalanceAsync(other)).Uncertain);

        // The seventh shows that it is everybody.
        Assert.Equal(MailingState.Paused, (await place.Start().RunAsync(refused)).State);
        Assert.Equal((uncertain, 6 - uncertain), ((await place.BalanceAsync(other)).Uncertain, (await place.BalanceAsync(other)).Pending));

        Task<ClaimedRows> ClaimAsync(long mailing) => ledger.ClaimAsync(new ClaimRequest(mailing, 6, new Claimant("dead", place.Time.GetUtcNow(), place.Time.GetUtcNow())), Cancel);
    }

    private EnginePlace Holding(string recipient, SmtpMove then, OnUncertain onUncertain)
        => EnginePlace.Open(
            moment =>
            {
                if (moment.Stage != SmtpStage.Message || moment.Recipient != recipient) return SmtpMove.Accept;
                arrived.TrySetResult();
                return SmtpMove.Hold(answer.Task, then);
            },
            new DeliveryOptions { OnUncertain = onUncertain });

    private static async Task CancelAsync(EnginePlace place, long mailing)
        => Assert.True(await place.Database.Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Cancelled, "by the editor", place.Time.GetUtcNow(), Cancel));

    // A process that died with all of them sending; then the editor has them sent again.
    private static async Task LoseAsync(EnginePlace place, long mailing, int count)
    {
        var (ledger, now) = (place.Database.Ledger, place.Time.GetUtcNow());
        foreach (var row in (await ledger.ClaimAsync(new ClaimRequest(mailing, count, new Claimant("dead", now, now)), Cancel)).Deliveries)
            await ledger.WriteAsync([DeliveryVerdicts.Begin(row, DeliveryState.Claimed, now)], Cancel);
        Assert.Equal(count, (await ledger.RecoverAsync("dead", OnUncertain.Hold, now, Cancel)).Uncertain);
        Assert.Equal(count, (await ledger.DecideAsync(new DecisionPortion(mailing, DeliveryEvent.Resend, 0, count, now), Cancel)).Changed);
    }
}
