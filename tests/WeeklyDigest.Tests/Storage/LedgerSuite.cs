using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

public abstract class LedgerSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    [Fact]
    public async Task A_claim_takes_pending_rows_with_their_subscribers_and_notes_the_start()
    {
        await Subscribers.ImportAsync(List("readers"), [Row("ann@example.org", "Ann", ("city", "Köln")), Row("ben@example.org")], Cancel);
        await Import("others", "ann@example.org");
        var mailing = (await Publish()).MailingId;
        Clock.Advance(TimeSpan.FromMinutes(5));

        var claimed = Assert.Single(await Claim(mailing, 1));

        Assert.Equal("ann@example.org", claimed.Recipient.Address.Value);
        Assert.Equal("Ann", claimed.Recipient.Name);
        Assert.Equal("Köln", claimed.Recipient.Attributes["city"]);
        Assert.Equal((1, 0, null), (claimed.Stamp, claimed.Attempts, claimed.FirstAttemptAt));
        Assert.Equal(Now, (await Mailings.FindAsync(mailing, Cancel))!.StartedAt);
        Assert.Equal((1, 1), ((await Balance(mailing)).Pending, (await Balance(mailing)).Claimed));
    }

    [Fact]
    public async Task A_row_is_claimed_once()
    {
        var mailing = await Published(3);
        Assert.Equal(3, (await Claim(mailing)).Count);
        Assert.Empty(await Claim(mailing, owner: "two"));
    }

    [Theory]
    [InlineData(MailingState.Paused)]
    [InlineData(MailingState.Cancelled)]
    public async Task Nothing_is_claimed_unless_the_mailing_is_sending(MailingState state)
    {
        var mailing = await Published(3);
        await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], state, "why", Now, Cancel);
        Assert.Empty(await Claim(mailing));
        Assert.Empty(await Claim(mailing + 1));
    }

    [Fact]
    public async Task A_claim_suppresses_those_who_left_and_takes_the_next_ones_instead()
    {
        var mailing = await Published(10);
        for (var i = 1; i <= 5; i++) await Subscribers.UnsubscribeAsync(Address($"reader{i}@example.org"), "link", Cancel);

        var claimed = await Claim(mailing, 3);

        Assert.Equal(["reader6@example.org", "reader7@example.org", "reader8@example.org"], claimed.Select(row => row.Recipient.Address.Value));
        Assert.Equal(5, (await Balance(mailing)).Suppressed);
        var left = await Mailings.DeliveriesAsync(mailing, DeliveryState.Suppressed, Cancel).FirstAsync(Cancel);
        Assert.Equal("Not sent: the address is suppressed (unsubscribed).", left.Reply);
    }

    [Fact]
    public async Task What_is_no_address_any_more_fails_by_name_keeps_nobody_back_and_can_be_tried_again()
    {
        var mailing = await Published(3);
        Place.Execute("UPDATE subscriber SET address = 'reader2@exam ple.org' WHERE address = 'reader2@example.org'");

        Assert.Equal(["reader1@example.org", "reader3@example.org"], (await Claim(mailing)).Select(row => row.Recipient.Address.Value));

        Assert.Equal((0, 2, 1), ((await Balance(mailing)).Pending, (await Balance(mailing)).Claimed, (await Balance(mailing)).Failed));
        var failed = await Mailings.DeliveriesAsync(mailing, DeliveryState.Failed, Cancel).SingleAsync(Cancel);
        Assert.Equal((0, "Not sent: 'reader2@exam ple.org' in the database is not an address: it holds a space."), (failed.Attempts, failed.Reply));

        Place.Execute("UPDATE subscriber SET address = 'reader2@example.org' WHERE address = 'reader2@exam ple.org'");
        Assert.Equal(1, (await Ledger.DecideAsync(new DecisionPortion(mailing, DeliveryEvent.Retry, 0, 100, Now), Cancel)).Changed);
        Assert.Equal("reader2@example.org", Assert.Single(await Claim(mailing)).Recipient.Address.Value);
    }

    [Fact]
    public async Task What_was_being_sent_to_what_is_no_address_any_more_is_told_all_the_same()
    {
        var mailing = await Published(1);
        var claimed = Assert.Single(await Claim(mailing, owner: "here/1/dead/1"));
        await Write(claimed, DeliveryState.Claimed, DeliveryState.Sending);
        Place.Execute("UPDATE subscriber SET address = 'reader1@exam ple.org'");
        Assert.Equal(
            new BegunDelivery(claimed.Id, claimed.Stamp, claimed.Attempts, claimed.FirstAttemptAt, claimed.Resent),
            Assert.Single(await Ledger.SendingAsync("here/1/dead/1", Cancel)));
    }

    [Fact]
    public async Task The_way_to_sent_counts_attempts_and_keeps_the_reply()
    {
        var mailing = await Published(1);
        var row = (await Claim(mailing)).Single();
        Assert.Equal(LedgerWriteResult.Written, await Write(row, DeliveryState.Claimed, DeliveryState.Sending, counted: true));
        Assert.Equal(1, (await Balance(mailing)).Sending);
        Assert.Equal(LedgerWriteResult.Written, await Write(row, DeliveryState.Sending, DeliveryState.Sent, reply: "250 2.0.0 Ok"));

        var report = await Report(row.Id);
        Assert.Equal((DeliveryState.Sent, 1, "250 2.0.0 Ok"), (report.State, report.Attempts, report.Reply));
        var balance = await Balance(mailing);
        Assert.Equal((1, 1), (balance.Sent, balance.Attempts));
        Assert.Empty(await Ledger.HoldersAsync(Cancel));
    }

    [Fact]
    public async Task A_deferred_row_is_claimed_again_when_it_is_due_with_a_new_stamp_and_before_pending_ones()
    {
        var mailing = await Published(2);
        var first = (await Claim(mailing, 1)).Single();
        await Write(first, DeliveryState.Claimed, DeliveryState.Sending, counted: true);
        var sentAt = Now;
        Clock.Advance(TimeSpan.FromSeconds(1));
        await Write(first, DeliveryState.Sending, DeliveryState.Deferred, reply: "451 later", next: Now.AddMinutes(5));
        Assert.Equal(Now.AddMinutes(5), await Mailings.NextAttemptAsync(mailing, Cancel));
        Assert.Equal(Now.AddMinutes(5), (await Report(first.Id)).NextAttemptAt);

        Clock.Advance(TimeSpan.FromMinutes(4.9));
        Assert.NotEqual(first.Id, (await Claim(mailing, 1)).Single().Id);
        Clock.Advance(TimeSpan.FromMinutes(0.1));
        var again = (await Claim(mailing, 1)).Single();

        Assert.Equal(first.Id, again.Id);
        Assert.Equal((2, 1, sentAt), (again.Stamp, again.Attempts, again.FirstAttemptAt));
        Assert.Null(await Mailings.NextAttemptAsync(mailing, Cancel));
        Assert.Null((await Report(first.Id)).NextAttemptAt);
    }

    [Fact]
    public async Task A_write_under_an_old_stamp_or_from_another_state_changes_nothing()
    {
        var mailing = await Published(1);
        var old = (await Claim(mailing)).Single();
        await Ledger.RecoverAsync("one", OnUncertain.Hold, Now, Cancel);
        var current = (await Claim(mailing, owner: "two")).Single();

        Assert.Equal(LedgerWriteResult.Fenced, await Write(old, DeliveryState.Claimed, DeliveryState.Sending));
        Assert.Equal(LedgerWriteResult.Fenced, await Write(old, DeliveryState.Claimed, DeliveryState.Pending));
        Assert.Equal(LedgerWriteResult.Fenced, await Write(current, DeliveryState.Sending, DeliveryState.Sent));
        Assert.Equal(LedgerWriteResult.Written, await Write(current, DeliveryState.Claimed, DeliveryState.Sending));
    }

    [Fact]
    public async Task Who_leaves_after_the_claim_gets_nothing()
    {
        var mailing = await Published(1);
        var row = (await Claim(mailing)).Single();
        await Subscribers.UnsubscribeAsync(row.Id.SubscriberId, "link", Cancel);

        Assert.Equal(LedgerWriteResult.Suppressed, await Write(row, DeliveryState.Claimed, DeliveryState.Sending, counted: true));

        var report = await Report(row.Id);
        Assert.Equal((DeliveryState.Suppressed, 0), (report.State, report.Attempts));
    }

    [Theory]
    [InlineData(MailingState.Paused)]
    [InlineData(MailingState.Cancelled)]
    public async Task A_pause_or_a_cancellation_gives_claimed_rows_back_at_their_next_step(MailingState state)
    {
        var mailing = await Published(2);
        var rows = await Claim(mailing);
        await Write(rows[0], DeliveryState.Claimed, DeliveryState.Sending);
        await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], state, null, Now, Cancel);

        Assert.Equal(LedgerWriteResult.Fenced, await Write(rows[1], DeliveryState.Claimed, DeliveryState.Sending));
        Assert.Equal(LedgerWriteResult.Written, await Write(rows[0], DeliveryState.Sending, DeliveryState.Sent));

        var balance = await Balance(mailing);
        Assert.Equal((1, 1), (balance.Pending, balance.Sent));
    }

    [Fact]
    public async Task A_group_of_writes_answers_in_order()
    {
        var mailing = await Published(3);
        var rows = await Claim(mailing);
        await Subscribers.UnsubscribeAsync(rows[1].Id.SubscriberId, "link", Cancel);
        var writes = rows.Select((row, i) => new LedgerWrite(
            row.Id, i == 2 ? 99 : row.Stamp, DeliveryState.Claimed, DeliveryState.Sending, true, null, null, Now)).ToList();

        Assert.Equal(
            [LedgerWriteResult.Written, LedgerWriteResult.Suppressed, LedgerWriteResult.Fenced],
            await Ledger.WriteAsync(writes, Cancel));
        Assert.Empty(await Ledger.WriteAsync([], Cancel));
    }

    [Fact]
    public async Task A_dead_owners_claimed_rows_are_pending_again_and_its_sending_rows_uncertain()
    {
        var mailing = await Published(5);
        var rows = await Claim(mailing, 3);
        await Claim(mailing, 1, owner: "two");
        await Write(rows[0], DeliveryState.Claimed, DeliveryState.Sending);
        var begun = Now;
        Clock.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(new RecoveredRows(2, 0, 1), await Ledger.RecoverAsync("one", OnUncertain.Hold, Now, Cancel));

        var balance = await Balance(mailing);
        Assert.Equal((3, 1, 1, 1), (balance.Pending, balance.Claimed, balance.Uncertain, balance.Attempts));
        var lost = await Report(rows[0].Id);
        Assert.Equal((1, Now), (lost.Attempts, lost.UpdatedAt));
        Assert.Contains("only the relay knows", lost.Reply, StringComparison.Ordinal);
        await Write(rows[0], DeliveryState.Uncertain, DeliveryState.Pending);
        Assert.Equal((1, begun), (await Claim(mailing, owner: "two")).Where(row => row.Id == rows[0].Id).Select(row => (row.Attempts, row.FirstAttemptAt!.Value)).Single());
        Assert.Equal(new RecoveredRows(0, 0, 0), await Ledger.RecoverAsync("one", OnUncertain.Hold, Now, Cancel));
        Assert.Equal(["two"], (await Ledger.HoldersAsync(Cancel)).Select(holder => holder.Owner));
    }

    [Fact]
    public async Task Holders_show_the_end_of_their_leases_and_renewal_moves_it()
    {
        var mailing = await Published(3);
        await Claim(mailing, 2);
        await HoldsUntil(Now.AddMinutes(1));
        Clock.Advance(TimeSpan.FromSeconds(30));
        await Ledger.RenewAsync(Claimant() with { LeaseUntil = Now.AddMinutes(5) }, Cancel);
        await HoldsUntil(Now.AddMinutes(5));
    }

    [Fact]
    public async Task What_a_process_has_sent_is_its_last_note_and_is_kept_for_as_long_as_giving_up_may_take()
    {
        var since = Now;
        await Ledger.NoteSentAsync(new SentNote("one", 3, since, Now), Cancel);
        await Ledger.NoteSentAsync(new SentNote("two", 5, since, Now), Cancel);
        Clock.Advance(TimeSpan.FromDays(1));
        await Ledger.NoteSentAsync(new SentNote("two", 6, since, Now), Cancel);
        Assert.Equal([new SentNote("one", 3, since, since), new SentNote("two", 6, since, Now)], await Ledger.SentNotesAsync(Cancel));

        Clock.Advance(TimeSpan.FromDays(13.5));
        await Ledger.NoteSentAsync(new SentNote("three", 1, Now, Now), Cancel);
        Assert.Equal(["three", "two"], (await Ledger.SentNotesAsync(Cancel)).Select(note => note.Owner));
    }

    [Fact]
    public async Task An_uncertain_row_can_be_sent_again_or_confirmed()
    {
        var mailing = await Published(2);
        var rows = await Claim(mailing);
        foreach (var row in rows) await Write(row, DeliveryState.Claimed, DeliveryState.Sending, counted: true);
        await Ledger.RecoverAsync("one", OnUncertain.Hold, Now, Cancel);

        Assert.Equal(LedgerWriteResult.Written, await Write(rows[0], DeliveryState.Uncertain, DeliveryState.Pending));
        Assert.Equal(LedgerWriteResult.Written, await Write(rows[1], DeliveryState.Uncertain, DeliveryState.Sent));
        Assert.Equal(rows[0].Id, (await Claim(mailing)).Single().Id);
    }

    [Theory]
    [InlineData(OnUncertain.Hold, DeliveryState.Sent)]
    [InlineData(OnUncertain.Hold, DeliveryState.Failed)]
    [InlineData(OnUncertain.Resend, DeliveryState.Sent)]
    public async Task An_answer_that_comes_late_counts_as_long_as_nobody_has_claimed_the_row_since(OnUncertain onUncertain, DeliveryState answer)
    {
        var mailing = await Published(2);
        var rows = await Claim(mailing);
        foreach (var row in rows) await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Ledger.RecoverAsync("one", onUncertain, Now, Cancel);

        Assert.Equal(LedgerWriteResult.Written, await Write(rows[0], DeliveryState.Sending, answer, counted: true));
        var late = await Report(rows[0].Id);
        Assert.Equal((answer, 1, 0), (late.State, late.Attempts, late.Resent));

        if (onUncertain == OnUncertain.Hold) await Write(rows[1], DeliveryState.Uncertain, DeliveryState.Pending);
        await Claim(mailing, owner: "two");
        Assert.Equal(LedgerWriteResult.Fenced, await Write(rows[1], DeliveryState.Sending, answer, counted: true));
        Assert.Equal(DeliveryState.Claimed, (await Report(rows[1].Id)).State);
    }

    [Fact]
    public async Task Deferring_without_a_time_is_the_callers_mistake_and_changes_nothing()
    {
        var mailing = await Published(1);
        var row = (await Claim(mailing)).Single();
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Assert.ThrowsAsync<ArgumentException>(() => Write(row, DeliveryState.Sending, DeliveryState.Deferred));
        Assert.Equal(1, (await Balance(mailing)).Sending);
    }

    // A database with a clock of its own counts on while we look.
    private async Task HoldsUntil(DateTimeOffset expected)
    {
        var holder = Assert.Single(await Ledger.HoldersAsync(Cancel));
        Assert.Equal(("one", 2), (holder.Owner, holder.Rows));
        Assert.InRange(holder.LeaseUntil, expected.AddSeconds(-20), expected);
    }
}
