using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Tests.Storage;

/// <summary>What the ledger holds against a relay that refuses addresses, until it works again.</summary>
public abstract class DoubtSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    [Fact]
    public async Task What_a_relay_refused_of_any_mailing_and_process_is_taken_back_in_portions_and_nothing_of_another_relay()
    {
        await Import("readers", Enumerable.Range(1, 4).Select(i => $"reader{i}@example.org"));
        await Import("others", "other@example.org");
        var rows = await Claim((await Publish()).MailingId);
        var another = (await Claim((await Publish("week-2", "others")).MailingId)).Single();
        using var other = Open();
        await RefuseAsync(other.Ledger, rows[0], "bad");
        await RefuseAsync(Ledger, rows[1], "bad", Refusal.Mailbox);
        await RefuseAsync(Ledger, rows[2], "good");
        await RefuseAsync(Ledger, rows[3], null);
        await RefuseAsync(Ledger, another, "bad", reply: "550 5.1.1 the last");
        Assert.Equal([new RelayDoubt("bad", 3, false, "550 5.1.1 the last"), new RelayDoubt("good", 1, false, "550 5.1.1 no")], await other.Ledger.DoubtsAsync(Cancel));

        Assert.Equal(2, await other.Ledger.PardonRelayAsync("bad", 2, OnUncertain.Hold, Now, Cancel));
        Assert.Equal(1, await other.Ledger.PardonRelayAsync("bad", 2, OnUncertain.Hold, Now, Cancel));
        Assert.Equal(0, await other.Ledger.PardonRelayAsync("bad", 2, OnUncertain.Hold, Now, Cancel));
        Assert.Equal(new RelayDoubt("bad", 0, true, null), (await Ledger.DoubtsAsync(Cancel))[0]);
        Assert.Equal(
            [SubscriberStatus.Active, SubscriberStatus.Active, SubscriberStatus.Bounced, SubscriberStatus.Bounced, SubscriberStatus.Active], await StatusesAsync([.. rows, another]));
        Assert.Equal(2, (await Ledger.DecideAsync(new DecisionPortion(rows[0].Id.MailingId, DeliveryEvent.Retry, 0, 100, Now), Cancel)).Changed);
    }

    [Fact]
    public async Task Who_failed_of_a_mailing_stands_with_the_relay_that_refused_last_also_when_that_was_taken_back()
    {
        var mailing = await Published(3);
        var rows = await Claim(mailing);
        await RefuseAsync(Ledger, rows[0], "bad");
        await RefuseAsync(Ledger, rows[1], "bad", reply: "550 5.1.1 again");
        await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel);
        await RefuseAsync(Ledger, rows[2], "other", Refusal.Mailbox, "550 5.2.2 full");
        Assert.Equal(
            [new RelayRefusal("bad", "550 5.1.1 no", true, true), new("bad", "550 5.1.1 again", true, true), new("other", "550 5.2.2 full", false, false)],
            await Ledger.RefusalsAsync(mailing, Cancel));

        Assert.Equal(3, (await Ledger.DecideAsync(new DecisionPortion(mailing, DeliveryEvent.Retry, 0, 100, Now), Cancel)).Changed);
        Assert.Empty(await Ledger.RefusalsAsync(mailing, Cancel));
        await RefuseAsync(Ledger, (await Claim(mailing, 1)).Single(), "other");
        Assert.Equal([new RelayRefusal("other", "550 5.1.1 no", true, false)], await Ledger.RefusalsAsync(mailing, Cancel));
    }

    [Fact]
    public async Task A_relay_that_accepts_a_message_is_cleared_and_what_it_refused_before_stands()
    {
        var rows = await Claim(await Published(3));
        await RefuseAsync(Ledger, rows[0], "bad");
        await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel);
        await RefuseAsync(Ledger, rows[1], "bad");
        var accepted = Now.AddSeconds(1);
        Clock.Advance(TimeSpan.FromSeconds(2));
        await RefuseAsync(Ledger, rows[2], "bad");
        Assert.Equal(0, await Ledger.TrustAsync(new RelayStanding("good") { AcceptedAt = accepted, AnsweredAt = accepted }, Cancel));
        Assert.Equal(2, await Ledger.TrustAsync(new RelayStanding("bad") { AcceptedAt = accepted, AnsweredAt = accepted }, Cancel));
        Assert.Equal((1L, false), Single(await Ledger.DoubtsAsync(Cancel)));
        await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel);
        Assert.Equal([SubscriberStatus.Active, SubscriberStatus.Bounced, SubscriberStatus.Active], await StatusesAsync(rows));
    }

    [Fact]
    public async Task A_message_that_is_put_off_ends_a_row_of_refusals_but_clears_no_relay_that_refuses_everybody()
    {
        var rows = await Claim(await Published(3));
        await RefuseAsync(Ledger, rows[0], "bad");
        var putOff = new RelayStanding("bad") { AnsweredAt = Now.AddSeconds(1) };
        Assert.Equal(1, await Ledger.TrustAsync(putOff, Cancel));
        await RefuseAsync(Ledger, rows[1], "bad");
        await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel);
        await RefuseAsync(Ledger, rows[2], "bad");
        Assert.Equal(0, await Ledger.TrustAsync(putOff, Cancel));
        Assert.Equal((1L, true), Single(await Ledger.DoubtsAsync(Cancel)));
    }

    [Fact]
    public async Task What_was_refused_before_the_clock_was_set_back_stands_when_a_message_is_accepted()
    {
        var rows = await Claim(await Published(3));
        await RefuseAsync(Ledger, rows[0], "bad");
        var standing = new RelayStanding("bad") { AcceptedAt = Now.AddDays(-1), AnsweredAt = Now.AddDays(-1) };
        Assert.Equal(0, await Ledger.TrustAsync(standing, Cancel));
        Assert.Equal(0, await Ledger.TrustAsync(standing with { Newest = Now }, Cancel));
        var later = standing with { Newest = Now.AddDays(-1).AddMinutes(1) };
        Assert.Equal(1, await Ledger.TrustAsync(later, Cancel));

        await RefuseAsync(Ledger, rows[1], "bad");
        await Write(rows[2], DeliveryState.Claimed, DeliveryState.Sending);
        await Ledger.WriteAsync([Refused(rows[2], "bad") with { At = Now.AddDays(-1).AddSeconds(1), Relay = later }], Cancel);
        Assert.Equal((1L, false), Single(await Ledger.DoubtsAsync(Cancel)));
    }

    [Fact]
    public async Task A_refusal_forgets_what_is_older_than_the_last_message_that_its_process_had_accepted()
    {
        var rows = await Claim(await Published(4));
        await RefuseAsync(Ledger, rows[0], "bad");
        await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel);
        await RefuseAsync(Ledger, rows[1], "bad");
        var accepted = Now.AddSeconds(1);
        Clock.Advance(TimeSpan.FromSeconds(2));
        foreach (var row in rows.Skip(2)) await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Ledger.WriteAsync([Refused(rows[2], "bad"), Refused(rows[3], "bad") with { Relay = new RelayStanding("bad") { AcceptedAt = accepted, AnsweredAt = accepted } }], Cancel);
        Assert.Equal((2L, false), Single(await Ledger.DoubtsAsync(Cancel)));
    }

    [Fact]
    public async Task Who_is_refused_again_is_held_against_the_relay_again()
    {
        var mailing = await Published(1);
        await RefuseAsync(Ledger, (await Claim(mailing)).Single(), "bad");
        await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel);
        await Ledger.DecideAsync(new DecisionPortion(mailing, DeliveryEvent.Retry, 0, 100, Now), Cancel);
        var again = (await Claim(mailing)).Single();
        Assert.Equal(LedgerWriteResult.Fenced, (await Ledger.WriteAsync([Refused(again with { Stamp = again.Stamp - 1 }, "bad")], Cancel)).Single());
        Assert.Equal((0L, true), Single(await Ledger.DoubtsAsync(Cancel)));
        await RefuseAsync(Ledger, again, "bad");
        Assert.Equal(1, await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel));
        Assert.Equal([SubscriberStatus.Active], await StatusesAsync([again]));
    }

    [Fact]
    public async Task Who_was_passed_over_by_other_mailings_is_sent_those_after_all_unless_they_ended_before_or_are_cancelled()
    {
        var refused = await Published(2);
        var others = new Dictionary<string, long>();
        foreach (var issue in (string[])["before", "sending", "paused", "sent", "cancelled"]) others[issue] = (await Publish(issue, "readers")).MailingId;
        var rows = await Claim(refused);
        // Somebody had passed them over for the same words, long ago.
        Place.Execute($"UPDATE delivery SET state = 'suppressed', reply = 'Not sent: the address is suppressed (bounced).' WHERE mailing_id = {others["before"]}");
        await EndAsync(others["before"], MailingState.Sent);
        foreach (var row in rows) await RefuseAsync(Ledger, row, "bad");
        Clock.Advance(TimeSpan.FromSeconds(1));
        foreach (var mailing in others.Values.Skip(1)) Assert.Empty(await Claim(mailing));
        await EndAsync(others["paused"], MailingState.Paused);
        await EndAsync(others["sent"], MailingState.Sent);
        await EndAsync(others["cancelled"], MailingState.Cancelled);

        await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel);
        Assert.Equal(new long[] { 0, 2, 2, 2, 0 }, await Task.WhenAll(others.Values.Select(async mailing => (await Balance(mailing)).Pending)));
        Assert.Equal(
            [MailingState.Sent, MailingState.Sending, MailingState.Paused, MailingState.Sending, MailingState.Cancelled],
            await Task.WhenAll(others.Values.Select(async mailing => (await Mailings.FindAsync(mailing, Cancel))!.State)));
        // Nobody has resumed it: a relay that was set aside is not tried again for that.
        Assert.Equal((null, null), ((await Mailings.FindAsync(others["sent"], Cancel))!.ResumedAt, (await Mailings.FindAsync(others["sent"], Cancel))!.FinishedAt));
        Assert.Equal(2, (await Claim(others["sent"])).Count);

        Task<bool> EndAsync(long mailing, MailingState to) => Mailings.ChangeStateAsync(mailing, [MailingState.Sending], to, null, Now, Cancel);
    }

    [Theory]
    [InlineData(OnUncertain.Hold)]
    [InlineData(OnUncertain.Resend)]
    public async Task Who_was_to_be_sent_an_uncertain_message_again_and_was_passed_over_is_sent_it_where_that_is_the_setting(OnUncertain onUncertain)
    {
        var (refused, other) = (await Published(2), (await Publish("week-2")).MailingId);
        var rows = await Claim(other);
        foreach (var row in rows)
        {
            await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
            await Write(row, DeliveryState.Sending, DeliveryState.Uncertain, counted: true, reply: "lost");
        }
        // The other one is the editor's to decide, as it was before.
        await Write(rows[0], DeliveryState.Uncertain, DeliveryState.Pending);
        foreach (var row in await Claim(refused)) await RefuseAsync(Ledger, row, "bad");
        Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await Claim(other));
        Assert.Equal(2, (await Balance(other)).Uncertain);
        await Mailings.ChangeStateAsync(other, [MailingState.Sending], MailingState.Sent, null, Now, Cancel);

        await Ledger.PardonRelayAsync("bad", 10, onUncertain, Now, Cancel);
        var isSent = onUncertain == OnUncertain.Resend;
        Assert.Equal(isSent ? MailingState.Sending : MailingState.Sent, (await Mailings.FindAsync(other, Cancel))!.State);
        Assert.Equal((isSent ? DeliveryState.Pending : DeliveryState.Uncertain, isSent ? 1 : 0, "lost"), ((await Report(rows[0].Id)).State, (await Report(rows[0].Id)).Resent, (await Report(rows[0].Id)).Reply));
        Assert.Equal((DeliveryState.Uncertain, 0), ((await Report(rows[1].Id)).State, (await Report(rows[1].Id)).Resent));
        // It was kept out since its first attempt: it is not given up at the next one.
        if (isSent) Assert.Null((await Claim(other)).Single().FirstAttemptAt);
    }

    [Fact]
    public async Task Who_left_meanwhile_or_was_refused_by_a_relay_that_works_is_not_readmitted()
    {
        var refused = await Published(5);
        var (other, passing) = ((await Publish("week-2")).MailingId, (await Publish("week-3")).MailingId);
        var rows = await Claim(refused);
        var underWay = (await Claim(other, 1)).Single();
        await Write(underWay, DeliveryState.Claimed, DeliveryState.Sending);
        foreach (var row in rows) await RefuseAsync(Ledger, row, "bad");
        await Ledger.WriteAsync([Refused(underWay, "good")], Cancel);
        Assert.Empty(await Claim(passing));
        await Subscribers.UnsubscribeAsync(rows[1].Recipient.Id, "link", Cancel);
        await Subscribers.UnsubscribeAsync(rows[2].Recipient.Address, "editor", Cancel);
        // Brought back by the editor, and refused once more.
        await Subscribers.AddAsync(List("readers"), rows[3].Recipient.Address, null, new Dictionary<string, string>(), Cancel);
        await RefuseAsync(Ledger, (await Claim(other)).Single(), "good");

        await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel);
        Assert.Equal([rows[4].Recipient.Id], (await Claim(passing)).Select(row => row.Recipient.Id));
        Assert.Equal(4, (await Balance(passing)).Suppressed);
        await Ledger.PardonRelayAsync("good", 10, OnUncertain.Hold, Now, Cancel);
        Assert.Equal([rows[0].Recipient.Id, rows[3].Recipient.Id], (await Claim(passing)).Select(row => row.Recipient.Id));
    }

    [Fact]
    public async Task Who_was_refused_twice_at_once_is_pardoned_with_the_second_refusal()
    {
        var (first, second) = (await Published(1), (await Publish("week-2")).MailingId);
        var rows = new[] { (await Claim(first)).Single(), (await Claim(second)).Single() };
        foreach (var row in rows) await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        foreach (var row in rows)
        {
            await Ledger.WriteAsync([Refused(row, "bad")], Cancel);
            Clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(1, await Ledger.PardonRelayAsync("bad", 1, OnUncertain.Hold, Now, Cancel));
        Assert.Equal([SubscriberStatus.Bounced, SubscriberStatus.Bounced], await StatusesAsync(rows));
        Assert.Equal(1, await Ledger.PardonRelayAsync("bad", 1, OnUncertain.Hold, Now, Cancel));
        Assert.Equal([SubscriberStatus.Active, SubscriberStatus.Active], await StatusesAsync(rows));
    }

    [Fact]
    public async Task Of_a_portion_each_is_sent_only_those_mailings_that_had_not_ended_when_that_one_was_refused()
    {
        var refused = await Published(2);
        var ended = (await Publish("ended")).MailingId;
        var rows = await Claim(refused);
        // Somebody had passed both over for the same words, long ago.
        Place.Execute($"UPDATE delivery SET state = 'suppressed', reply = 'Not sent: the address is suppressed (bounced).' WHERE mailing_id = {ended}");
        await RefuseAsync(Ledger, rows[0], "bad");
        Clock.Advance(TimeSpan.FromSeconds(1));
        await Mailings.ChangeStateAsync(ended, [MailingState.Sending], MailingState.Sent, null, Now, Cancel);
        Clock.Advance(TimeSpan.FromSeconds(1));
        await RefuseAsync(Ledger, rows[1], "bad");

        Assert.Equal(2, await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel));
        Assert.Equal([rows[0].Recipient.Id], (await Claim(ended)).Select(row => row.Recipient.Id));
        Assert.Equal(1, (await Balance(ended)).Suppressed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_list_file_that_was_read_while_somebody_was_kept_out_is_read_again_when_that_is_taken_back(bool byPardon)
    {
        var row = (await Claim(await Published(1))).Single();
        await Subscribers.MarkImportedAsync(List("before"), "b", Cancel);
        await RefuseAsync(Ledger, row, "bad");
        await Import("guests", row.Recipient.Address.Value);
        await Subscribers.MarkImportedAsync(List("guests"), "g", Cancel);
        Assert.True(await Subscribers.WasImportedAsync(List("guests"), "g", Cancel));

        if (byPardon) await Ledger.PardonRelayAsync("bad", 10, OnUncertain.Hold, Now, Cancel);
        else await Subscribers.AddAsync(List("readers"), row.Recipient.Address, null, new Dictionary<string, string>(), Cancel);
        Assert.False(await Subscribers.WasImportedAsync(List("guests"), "g", Cancel));
        Assert.True(await Subscribers.WasImportedAsync(List("before"), "b", Cancel));
        Assert.Contains(List("guests"), Database.Examine(Place.Options, TimeSpan.FromSeconds(10), Clock, Server.Jobs.PostgresJobs.Tables).FromFiles);
        await Import("guests", row.Recipient.Address.Value);
        Assert.Contains(List("guests"), (await Subscribers.FindAsync(row.Recipient.Address, Cancel))!.Lists);
    }

    private static (long, bool) Single(IReadOnlyList<RelayDoubt> doubts) => (doubts.Single().Refused, doubts.Single().IsPardoned);

    private protected async Task RefuseAsync(ILedger ledger, Delivery row, string? relay, Refusal refusal = Refusal.Address, string reply = "550 5.1.1 no")
    {
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        Assert.Equal(LedgerWriteResult.Written, (await ledger.WriteAsync([Refused(row, relay) with { Refusal = refusal, Reply = reply }], Cancel)).Single());
    }

    private LedgerWrite Refused(Delivery row, string? relay)
        => new(row.Id, row.Stamp, DeliveryState.Sending, DeliveryState.Failed, CountAttempt: true, "550 5.1.1 no", null, Now)
        {
            Refusal = Refusal.Address, Relay = relay is null ? null : new RelayStanding(relay),
        };

    private async Task<List<SubscriberStatus>> StatusesAsync(IReadOnlyList<Delivery> rows)
    {
        var statuses = new List<SubscriberStatus>();
        foreach (var row in rows) statuses.Add((await Subscribers.FindAsync(row.Recipient.Address, Cancel))!.Status);
        return statuses;
    }
}
