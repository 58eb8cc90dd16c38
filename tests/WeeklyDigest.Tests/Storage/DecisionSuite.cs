using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

/// <summary>What the editor decides about uncertain and failed deliveries, and what the setting decides about uncertain ones.</summary>
public abstract class DecisionSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    [Fact]
    public async Task Uncertain_rows_are_sent_again_and_reopen_a_mailing_that_was_sent()
    {
        var mailing = await Finished(5, uncertain: 2);
        Assert.Equal(new DecidedRows(2, 0, 2), await Decide(mailing, DeliveryEvent.Resend));
        Assert.Equal(new DecidedRows(0, 0, null), await Decide(mailing, DeliveryEvent.Resend, after: 2));

        Assert.Equal((MailingState.Sending, null), ((await Mailings.FindAsync(mailing, Cancel))!.State, (await Mailings.FindAsync(mailing, Cancel))!.FinishedAt));
        var balance = await Balance(mailing);
        Assert.Equal((2, 0, 3), (balance.Pending, balance.Uncertain, balance.Sent));
        Assert.Contains(mailing, await Mailings.DueAsync(Now, Cancel));
        Assert.All(await Claim(mailing), row => Assert.Equal((1, 1, null), (row.Resent, row.Attempts, row.FirstAttemptAt)));
    }

    [Fact]
    public async Task Uncertain_rows_are_counted_as_sent_with_a_note_that_the_editor_said_so()
    {
        var mailing = await Finished(5, uncertain: 2);
        Assert.Equal(new DecidedRows(2, 0, 2), await Decide(mailing, DeliveryEvent.Confirm));

        Assert.Equal(MailingState.Sent, (await Mailings.FindAsync(mailing, Cancel))!.State);
        Assert.Equal((5, 0), ((await Balance(mailing)).Sent, (await Balance(mailing)).Uncertain));
        var report = await Report(new DeliveryId(mailing, 1));
        Assert.Equal(("Counted as sent by the editor; the relay's answer was lost.", 1, 0), (report.Reply, report.Attempts, report.Resent));
    }

    [Fact]
    public async Task Failed_rows_start_anew_and_keep_the_reply_until_there_is_another()
    {
        var mailing = await Finished(5, failed: 2);
        Assert.Equal(2, await Mailings.RetriableAsync(mailing, Cancel));
        Assert.Equal(new DecidedRows(2, 0, 2), await Decide(mailing, DeliveryEvent.Retry));
        Assert.Equal(0, await Mailings.RetriableAsync(mailing, Cancel));

        Assert.Equal((2, 0), ((await Balance(mailing)).Pending, (await Balance(mailing)).Failed));
        Assert.Equal("550 no", (await Report(new DeliveryId(mailing, 1))).Reply);
        Assert.All(await Claim(mailing), row => Assert.Equal((0, 0, null), (row.Resent, row.Attempts, row.FirstAttemptAt)));
    }

    [Fact]
    public async Task A_decision_goes_through_the_rows_in_portions()
    {
        var mailing = await Finished(9, failed: 5);
        Assert.Equal(new DecidedRows(2, 0, 2), await Decide(mailing, DeliveryEvent.Retry, count: 2));
        Assert.Equal(new DecidedRows(2, 0, 4), await Decide(mailing, DeliveryEvent.Retry, after: 2, count: 2));
        Assert.Equal(new DecidedRows(1, 0, 5), await Decide(mailing, DeliveryEvent.Retry, after: 4, count: 2));
        Assert.Equal(new DecidedRows(0, 0, null), await Decide(mailing, DeliveryEvent.Retry, after: 5, count: 2));
        Assert.Equal((5, 4), ((await Balance(mailing)).Pending, (await Balance(mailing)).Sent));
    }

    [Theory]
    [InlineData(DeliveryEvent.Retry, DeliveryState.Failed)]
    [InlineData(DeliveryEvent.Resend, DeliveryState.Uncertain)]
    public async Task Who_has_left_stays_out(DeliveryEvent decision, DeliveryState state)
    {
        var mailing = await Finished(5, uncertain: state == DeliveryState.Uncertain ? 3 : 0, failed: state == DeliveryState.Failed ? 3 : 0);
        await Subscribers.UnsubscribeAsync(2, "link", Cancel);
        Assert.Equal(new DecidedRows(2, 1, 3), await Decide(mailing, decision));
        Assert.Equal(state, (await Report(new DeliveryId(mailing, 2))).State);
    }

    [Fact]
    public async Task Who_can_be_brought_back_is_counted_among_those_who_stay_out()
    {
        var mailing = await Finished(9, failed: 5);
        await Subscribers.UnsubscribeAsync(1, "link", Cancel);
        Place.Execute("""
            UPDATE subscriber SET status = 'bounced' WHERE id IN (2, 3);
            INSERT INTO suppression (address, reason, source, at) SELECT address, CASE id WHEN 3 THEN 'complained' ELSE 'bounced' END, 'report', 0 FROM subscriber WHERE id IN (3, 4)
            """);
        Assert.Equal(new DecidedRows(1, 4, 5) { Bounced = 2 }, await Decide(mailing, DeliveryEvent.Retry));
    }

    [Fact]
    public async Task In_a_cancelled_mailing_nothing_becomes_pending()
    {
        var mailing = await Finished(5, uncertain: 2, failed: 1, end: MailingState.Cancelled);
        Assert.Equal(new DecidedRows(0, 0, null), await Decide(mailing, DeliveryEvent.Resend));
        Assert.Equal(new DecidedRows(0, 0, null), await Decide(mailing, DeliveryEvent.Retry));
        Assert.Equal(new DecidedRows(2, 0, 2), await Decide(mailing, DeliveryEvent.Confirm));
        Assert.Equal((0, 1, 4), ((await Balance(mailing)).Pending, (await Balance(mailing)).Failed, (await Balance(mailing)).Sent));
    }

    [Fact]
    public async Task A_paused_mailing_stays_paused()
    {
        var mailing = await Finished(5, failed: 2, end: MailingState.Paused);
        Assert.Equal(2, (await Decide(mailing, DeliveryEvent.Retry)).Changed);
        Assert.Equal(MailingState.Paused, (await Mailings.FindAsync(mailing, Cancel))!.State);
    }

    [Fact]
    public async Task What_was_to_be_sent_again_is_uncertain_when_the_mailing_is_cancelled_before()
    {
        var mailing = await Published(4);
        var rows = await Claim(mailing, 3);
        foreach (var row in rows)
        {
            await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
            await Write(row, DeliveryState.Sending, DeliveryState.Uncertain, counted: true, reply: "closed after the final dot");
        }
        await Decide(mailing, DeliveryEvent.Resend, count: 2);
        var again = (await Claim(mailing, 1)).Single();
        await Write(again, DeliveryState.Claimed, DeliveryState.Sending);
        await Write(again, DeliveryState.Sending, DeliveryState.Deferred, counted: true, reply: "450 later", next: Now.AddMinutes(5));

        Assert.True(await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Cancelled, null, Now, Cancel));
        Assert.Equal((1, 0, 3), ((await Balance(mailing)).Pending, (await Balance(mailing)).Deferred, (await Balance(mailing)).Uncertain));
        foreach (var row in rows) Assert.Equal((DeliveryState.Uncertain, 0), ((await Report(row.Id)).State, (await Report(row.Id)).Resent));
    }

    [Fact]
    public async Task By_the_setting_a_dead_owners_sending_rows_are_sent_again_once_and_then_uncertain()
    {
        var mailing = await Published(3);
        var rows = await Claim(mailing, 2);
        await Write(rows[0], DeliveryState.Claimed, DeliveryState.Sending);
        Assert.Equal(new RecoveredRows(1, 1, 0), await Ledger.RecoverAsync("one", OnUncertain.Resend, Now, Cancel));

        var again = (await Claim(mailing)).Single(row => row.Id == rows[0].Id);
        Assert.Equal((1, 1), (again.Resent, again.Attempts));
        Assert.Equal(1, (await Report(again.Id)).Resent);
        await Write(again, DeliveryState.Claimed, DeliveryState.Sending);
        Assert.Equal(new RecoveredRows(2, 0, 1), await Ledger.RecoverAsync("one", OnUncertain.Resend, Now, Cancel));
        Assert.Equal((DeliveryState.Uncertain, 2), ((await Report(again.Id)).State, (await Report(again.Id)).Attempts));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task By_the_setting_nothing_is_sent_again_in_a_cancelled_mailing_or_to_who_has_left(bool cancelled)
    {
        var mailing = await Published(1);
        var row = (await Claim(mailing)).Single();
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        if (cancelled) await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Cancelled, null, Now, Cancel);
        else await Subscribers.UnsubscribeAsync(1, "link", Cancel);
        Assert.Equal(new RecoveredRows(0, 0, 1), await Ledger.RecoverAsync("one", OnUncertain.Resend, Now, Cancel));
    }

    /// <summary>A mailing without an open row: the first rows uncertain or failed, the others sent.</summary>
    private async Task<long> Finished(int total, int uncertain = 0, int failed = 0, MailingState end = MailingState.Sent)
    {
        var mailing = await Published(total);
        foreach (var row in await Claim(mailing))
        {
            var state = row.Id.SubscriberId <= uncertain ? DeliveryState.Uncertain : row.Id.SubscriberId <= uncertain + failed ? DeliveryState.Failed : DeliveryState.Sent;
            await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
            await Write(row, DeliveryState.Sending, state, counted: true, reply: state == DeliveryState.Failed ? "550 no" : null);
        }
        Assert.True(await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], end, null, Now, Cancel));
        return mailing;
    }

    private Task<DecidedRows> Decide(long mailing, DeliveryEvent decision, long after = 0, int count = 100)
        => Ledger.DecideAsync(new DecisionPortion(mailing, decision, after, count, Now), Cancel);
}
