using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

/// <summary>What follows from a refusal, in the transaction that writes it.</summary>
public abstract class RefusalSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    private const string Words = "550 5.0.0 the words";

    [Fact]
    public async Task An_address_that_does_not_exist_is_suppressed_with_the_reply_and_never_comes_back_by_import()
    {
        var mailing = await Published(2);
        await RefuseAsync((await Claim(mailing, 1)).Single(), Refusal.Address);

        var reader = (await Subscribers.FindAsync(Address("reader1@example.org"), Cancel))!;
        Assert.Equal((SubscriberStatus.Bounced, "bounced", "refused by the relay: " + Words), (reader.Status, reader.Suppression!.Reason, reader.Suppression.Source));
        Assert.Equal(new ImportCounts(0, 0, 1, 1), await Import("readers", "reader1@example.org", "reader2@example.org"));
        Assert.Equal(1, (await Publish("week-2")).Added);
        Assert.Equal((1, 1), ((await Balance(mailing)).Failed, (await Balance(mailing)).Pending));
    }

    [Fact]
    public async Task An_address_that_bounced_comes_back_when_somebody_adds_it_unless_it_left_as_well()
    {
        var mailing = await Published(2);
        foreach (var row in await Claim(mailing)) await RefuseAsync(row, Refusal.Address);
        var left = (await Subscribers.FindAsync(Address("reader2@example.org"), Cancel))!;
        await Subscribers.UnsubscribeAsync(left.Id, "link", Cancel);
        await Import("readers", "reader1@example.org");

        var added = await Subscribers.AddAsync(List("readers"), Address("reader1@example.org"), null, new Dictionary<string, string>(), Cancel);
        Assert.Equal((AddOutcome.BroughtBack, "bounced", SubscriberStatus.Active, null), (added.Outcome, added.Suppression!.Reason, added.Subscriber!.Status, added.Subscriber.Suppression));
        var refused = await Subscribers.AddAsync(List("readers"), left.Address, null, new Dictionary<string, string>(), Cancel);
        Assert.Equal((AddOutcome.KeptOut, "unsubscribed", "link"), (refused.Outcome, refused.Suppression!.Reason, refused.Suppression.Source));
        Assert.Equal(1, (await Publish("week-2")).Added);
    }

    [Fact]
    public async Task A_refusal_that_says_nothing_of_the_address_is_taken_back_and_no_other_one()
    {
        var mailing = await Published(4);
        var rows = await Claim(mailing, 4);
        await RefuseAsync(rows[0], Refusal.Address);
        await RefuseAsync(rows[1], Refusal.Address);
        Place.Execute("UPDATE suppression SET at = at - 1 WHERE address = 'reader2@example.org'");
        await Subscribers.UnsubscribeAsync(rows[2].Recipient.Id, "link", Cancel);
        Assert.Equal(1, await Ledger.PardonAsync(rows, OnUncertain.Hold, Now, Cancel));
        Assert.Equal(0, await Ledger.PardonAsync(rows, OnUncertain.Hold, Now, Cancel));
        Assert.Equal([SubscriberStatus.Active, SubscriberStatus.Bounced, SubscriberStatus.Unsubscribed, SubscriberStatus.Active], await StatusesAsync(rows));
        Assert.Equal(2, (await Balance(mailing)).Failed);
        Assert.Equal(1, (await Ledger.DecideAsync(new DecisionPortion(mailing, DeliveryEvent.Retry, 0, 100, Now), Cancel)).Changed);

        // A later attempt speaks for itself.
        await RefuseAsync((await Claim(mailing)).Single(), Refusal.Address);
        Assert.Equal(0, await Ledger.PardonAsync(rows, OnUncertain.Hold, Now, Cancel));
        Assert.Equal("bounced", (await Subscribers.FindSuppressionAsync(rows[0].Recipient.Address, Cancel))!.Reason);
    }

    [Fact]
    public async Task What_was_taken_back_does_not_count_against_a_mailbox()
    {
        await Import("readers", "full@example.org");
        foreach (var issue in (string[])["1", "2"])
        {
            var row = (await Claim((await Publish(issue, "readers")).MailingId)).Single();
            await RefuseAsync(row, Refusal.Mailbox);
            await Ledger.PardonAsync([row], OnUncertain.Hold, Now, Cancel);
        }
        Assert.Null(await IssueAsync("3", Refusal.Mailbox));
    }

    [Fact]
    public async Task A_fenced_refusal_suppresses_nobody()
    {
        var mailing = await Published(1);
        var row = (await Claim(mailing)).Single();
        Assert.Equal(LedgerWriteResult.Fenced, await RefuseAsync(row with { Stamp = row.Stamp + 1 }, Refusal.Address));
        Assert.Null(await Subscribers.FindSuppressionAsync(row.Recipient.Address, Cancel));
    }

    [Fact]
    public async Task A_mailbox_is_suppressed_at_the_third_issue_in_a_row_that_it_refuses()
    {
        await Import("readers", "full@example.org");
        Assert.Null(await IssueAsync("1", Refusal.Mailbox));
        Assert.Null(await IssueAsync("2", Refusal.Mailbox));
        Assert.Null(await IssueAsync("3", null));
        Assert.Null(await IssueAsync("4", Refusal.Mailbox));
        Assert.Null(await IssueAsync("5", Refusal.Mailbox));
        // Policy is not the mailbox's word: it neither counts nor ends the row.
        Assert.Null(await IssueAsync("6", Refusal.Policy));
        Assert.Equal("bounced", (await IssueAsync("7", Refusal.Mailbox))!.Reason);
    }

    [Theory]
    [InlineData(Refusal.Policy)]
    [InlineData(Refusal.Other)]
    public async Task Nobody_is_suppressed_for_anything_else(Refusal refusal)
    {
        await Import("readers", "fine@example.org");
        for (var issue = 1; issue <= 4; issue++) Assert.Null(await IssueAsync($"{issue}", refusal));
    }

    [Fact]
    public async Task Twenty_policy_refusals_in_a_row_stop_the_domain_in_this_mailing_until_it_is_resumed()
    {
        await Import("readers", Enumerable.Range(1, 30).SelectMany(i => new[] { $"a{i}@strict.example", $"b{i}@kind.example" }));
        var mailing = (await Publish()).MailingId;
        foreach (var row in (await Claim(mailing, 40)).Where(row => row.Recipient.Address.Domain == "strict.example")) await RefuseAsync(row, Refusal.Policy);

        var alarm = Assert.Single(await Mailings.AlarmsAsync(mailing, 10, Cancel));
        Assert.Equal(("strict.example", 20L, 20L, Words, Now, 10L), (alarm.Domain, alarm.Refusals, alarm.InARow, alarm.Reply, alarm.StoppedAt, alarm.Waiting));
        Assert.Equal(alarm with { Waiting = 0 }, Assert.Single(await Mailings.UncountedAlarmsAsync(mailing, 10, Cancel)));
        Assert.Equal(10, await Mailings.LeftAloneAsync(mailing, Cancel));
        var rest = await Ledger.ClaimAsync(new ClaimRequest(mailing, 100, Claimant()), Cancel);
        Assert.All(rest.Deliveries, row => Assert.Equal("kind.example", row.Recipient.Address.Domain));
        Assert.Equal((10, 0L, false), (rest.Deliveries.Count, rest.Next, rest.PassedOver));
        Assert.Equal([rest.Deliveries[0].DomainId + 0L], rest.Deliveries.Select(row => row.DomainId).Distinct());
        Assert.Equal([alarm.DomainId], rest.Stopped);
        Assert.Equal(new MailingRest(Pending: false, Held: true, null, Stopped: true), await Mailings.RestAsync(mailing, Cancel));

        Assert.True(await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Sending, null, Now, Cancel));
        Assert.Equal((20L, 0L, null), Single(await Mailings.AlarmsAsync(mailing, 10, Cancel)));
        Assert.Equal(0, await Mailings.LeftAloneAsync(mailing, Cancel));
        Assert.Equal(10, (await Claim(mailing)).Count);
    }

    [Fact]
    public async Task What_is_open_is_counted_for_the_domains_asked_about_stopped_ones_apart()
    {
        await Import("readers", Enumerable.Range(1, 30).SelectMany(i => new[] { $"a{i}@strict.example", $"b{i}@kind.example", $"c{i}@other.example" }));
        var mailing = (await Publish()).MailingId;
        await Import("more", "d@elsewhere.example");
        await Publish("2", "more");
        var ids = (await Mailings.DomainIdsAsync(["kind.example", "strict.example", "elsewhere.example", "nobody.example"], Cancel)).ToDictionary(domain => domain.Name, domain => domain.Id);
        Assert.Equal(["elsewhere.example", "kind.example", "strict.example"], ids.Keys.Order());
        Assert.Empty(await Mailings.OpenRowsAsync(mailing, [ids["elsewhere.example"]], Cancel));
        Assert.Empty(await Mailings.OpenRowsAsync(mailing, [], Cancel));
        Assert.Equal(30, (await Mailings.OpenRowsAsync(mailing, [.. ids.Values], Cancel)).Single(rows => rows.DomainId == ids["strict.example"]).Pending);

        var claimed = await Claim(mailing, 75);
        foreach (var row in claimed.Where(row => row.Recipient.Address.Domain == "strict.example").Take(20)) await RefuseAsync(row, Refusal.Policy);
        var kind = claimed.Where(row => row.DomainId == ids["kind.example"]).ToList();
        await Write(kind[0], DeliveryState.Claimed, DeliveryState.Sending);
        await Write(kind[1], DeliveryState.Claimed, DeliveryState.Sending);
        await Write(kind[1], DeliveryState.Sending, DeliveryState.Deferred, counted: true, "450 later", Now.AddMinutes(5));
        await Write(kind[2], DeliveryState.Claimed, DeliveryState.Sending);
        await Write(kind[2], DeliveryState.Sending, DeliveryState.Sent, counted: true, "250 ok");

        var open = Assert.Single(await Mailings.OpenRowsAsync(mailing, [.. ids.Values], Cancel));
        Assert.Equal(new DomainRows(ids["kind.example"], Pending: 5, Held: 23, Deferred: 1), open);
        Assert.Equal((29L, 28L), (open.Open, open.Waiting));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_domain_that_a_run_leaves_alone_is_stopped_however_few_refusals_are_known_here(int before)
    {
        var mailing = await Published(2);
        var rows = await Claim(mailing);
        for (var i = 0; i < before; i++) await RefuseAsync(rows[i], Refusal.Policy);
        await Write(rows[before], DeliveryState.Claimed, DeliveryState.Sending);
        await Ledger.WriteAsync([Change(rows[before], DeliveryState.Sending, DeliveryState.Failed) with { Refusal = Refusal.Policy, StopsDomain = rows[before].DomainId }], Cancel);
        Assert.Equal((before + 1L, before + 1L, Now), Single(await Mailings.AlarmsAsync(mailing, 10, Cancel)));
    }

    [Fact]
    public async Task An_accepted_message_ends_the_row()
    {
        var mailing = await Published(40);
        var rows = await Claim(mailing);
        foreach (var row in rows.Take(19)) await RefuseAsync(row, Refusal.Policy);
        await Write(rows[19], DeliveryState.Claimed, DeliveryState.Sending);
        await Ledger.WriteAsync([Change(rows[19], DeliveryState.Sending, DeliveryState.Sent) with { EndsRefusals = true }], Cancel);
        foreach (var row in rows.Skip(20).Take(19)) await RefuseAsync(row, Refusal.Policy);
        Assert.Equal((38L, 19L, null), Single(await Mailings.AlarmsAsync(mailing, 10, Cancel)));
        await RefuseAsync(rows[39], Refusal.Policy);
        Assert.Equal((39L, 20L, Now), Single(await Mailings.AlarmsAsync(mailing, 10, Cancel)));
    }

    [Theory]
    [InlineData("AR", 10L)]
    [InlineData("RA", null)]
    [InlineData("RAR", null)]
    [InlineData("ARAR", 10L)]
    public async Task What_is_written_at_once_counts_in_its_order(string group, long? inARowOrStopped)
    {
        var rows = (await Claim(await Published(60))).ToArray();
        foreach (var row in rows) await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        var next = 0;
        await Ledger.WriteAsync([.. Ten()], Cancel);
        await Ledger.WriteAsync([.. group.SelectMany(kind => kind == 'R' ? Ten() : [Change(rows[next++], DeliveryState.Sending, DeliveryState.Sent) with { EndsRefusals = true }])], Cancel);
        var alarm = Assert.Single(await Mailings.AlarmsAsync(rows[0].Id.MailingId, 10, Cancel));
        Assert.Equal(inARowOrStopped, alarm.StoppedAt is null ? alarm.InARow : null);

        IEnumerable<LedgerWrite> Ten() => Enumerable.Range(0, 10).Select(_ => Change(rows[next++], DeliveryState.Sending, DeliveryState.Failed) with { Refusal = Refusal.Policy });
    }

    [Fact]
    public async Task A_mailing_whose_open_rows_are_all_of_stopped_domains_is_due_for_its_end_only()
    {
        var mailing = await Published(25);
        foreach (var row in await Claim(mailing, 20)) await RefuseAsync(row, Refusal.Policy);
        Assert.Equal([mailing], await Mailings.DueAsync(Now, Cancel));
        Assert.Empty(await Claim(mailing));
        await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Paused, "stopped", Now, Cancel);
        Assert.Empty(await Mailings.DueAsync(Now, Cancel));
    }

    [Fact]
    public async Task Rows_that_were_never_tried_are_given_up_so_long_after_the_start_or_the_last_resumption()
    {
        var mailing = await Published(3);
        var row = (await Claim(mailing, 1)).Single();
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Write(row, DeliveryState.Sending, DeliveryState.Deferred, counted: true, next: Now.AddMinutes(5));
        Clock.Advance(TimeSpan.FromDays(3));
        await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Paused, null, Now, Cancel);
        Assert.Equal(0, await GiveUpAsync(mailing));
        await Mailings.ChangeStateAsync(mailing, [MailingState.Paused], MailingState.Sending, null, Now, Cancel);
        Assert.Equal(0, await GiveUpAsync(mailing));

        Clock.Advance(TimeSpan.FromDays(3));
        Assert.Equal(2, await GiveUpAsync(mailing));
        Assert.Equal((2, 1), ((await Balance(mailing)).Failed, (await Balance(mailing)).Deferred));
        Assert.Equal("too late", (await Mailings.DeliveriesAsync(mailing, DeliveryState.Failed, Cancel).FirstAsync(Cancel)).Reply);
    }

    [Fact]
    public async Task Rows_that_were_never_tried_are_not_given_up_while_some_process_has_messages_of_the_mailing_accepted()
    {
        var mailing = await Published(3);
        Clock.Advance(TimeSpan.FromDays(2));
        await NoteSentAsync($"web-1/17/abcdef/{mailing}");
        await NoteSentAsync($"web-2/17/abcdef/{mailing}");
        Clock.Advance(TimeSpan.FromDays(1));
        await NoteSentAsync($"web-1/17/abcdef/1{mailing}");
        Assert.Equal(0, await GiveUpAsync(mailing));

        Clock.Advance(TimeSpan.FromDays(1));
        await NoteSentAsync($"web-2/17/abcdef/{mailing}");
        Clock.Advance(TimeSpan.FromDays(2.9));
        Assert.Equal(0, await GiveUpAsync(mailing));

        Clock.Advance(TimeSpan.FromDays(0.1));
        await NoteSentAsync($"web-1/17/abcdef/1{mailing}");
        Assert.Equal(3, await GiveUpAsync(mailing));
    }

    private Task NoteSentAsync(string owner) => Ledger.NoteSentAsync(new SentNote(owner, 1, Now, Now), Cancel);

    private Task<long> GiveUpAsync(long mailing) => Ledger.GiveUpAsync(mailing, Now.AddDays(-3), "too late", 100, Now, Cancel);

    private static (long, long, DateTimeOffset?) Single(IReadOnlyList<DomainAlarm> alarms) => (alarms.Single().Refusals, alarms.Single().InARow, alarms.Single().StoppedAt);

    private async Task<List<SubscriberStatus>> StatusesAsync(IReadOnlyList<Delivery> rows)
    {
        var statuses = new List<SubscriberStatus>();
        foreach (var row in rows) statuses.Add((await Subscribers.FindAsync(row.Recipient.Address, Cancel))!.Status);
        return statuses;
    }

    /// <summary>One issue to everybody that is left; null is an accepted one.</summary>
    /// <returns>The first address's suppression afterwards.</returns>
    private async Task<Suppression?> IssueAsync(string issue, Refusal? refusal)
    {
        var row = (await Claim((await Publish("week-" + issue)).MailingId)).Single();
        if (refusal is { } why)
        {
            await RefuseAsync(row, why);
        }
        else
        {
            await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
            await Write(row, DeliveryState.Sending, DeliveryState.Sent);
        }
        return await Subscribers.FindSuppressionAsync(row.Recipient.Address, Cancel);
    }

    private async Task<LedgerWriteResult> RefuseAsync(Delivery row, Refusal refusal)
    {
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        return (await Ledger.WriteAsync([Change(row, DeliveryState.Sending, DeliveryState.Failed) with { Refusal = refusal }], Cancel)).Single();
    }

    private LedgerWrite Change(Delivery row, DeliveryState from, DeliveryState to) => new(row.Id, row.Stamp, from, to, CountAttempt: true, Words, null, Now);
}
