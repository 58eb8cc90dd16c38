using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

/// <summary>What was uncertain and is to be sent again, and then is not: the first copy may have arrived, so the row never says that nothing was sent.</summary>
public abstract class SentAgainSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    private const string Lost = "closed after the final dot";

    [Theory]
    [InlineData(HeldEnding.Released)]
    [InlineData(HeldEnding.Marked)]
    [InlineData(HeldEnding.MarkedAnew)]
    [InlineData(HeldEnding.NotStarted)]
    [InlineData(HeldEnding.PutOff)]
    [InlineData(HeldEnding.Recovered)]
    public async Task Held_when_the_mailing_is_cancelled_it_is_uncertain_however_that_ends(HeldEnding ending)
    {
        var mailing = await Published(2);
        var again = await HeldAgain(mailing);
        if (ending is HeldEnding.MarkedAnew or HeldEnding.NotStarted or HeldEnding.PutOff) Assert.Equal(LedgerWriteResult.Written, await Write(again, DeliveryState.Claimed, DeliveryState.Sending));
        await Cancelled(mailing);

        if (ending == HeldEnding.Recovered) Assert.Equal(new RecoveredRows(0, 0, 1), await Ledger.RecoverAsync("one", OnUncertain.Hold, Now, Cancel));
        else Assert.Equal(LedgerWriteResult.Abandoned, await End(again, ending));
        await IsUncertain(again.Id, ending == HeldEnding.PutOff ? "450 later" : Lost);
        Assert.Empty(await Ledger.HoldersAsync(Cancel));
        Assert.Equal((1, 1), ((await Balance(mailing)).Pending, (await Balance(mailing)).Uncertain));
    }

    [Fact]
    public async Task Others_that_are_held_when_the_mailing_is_cancelled_stay_unsent()
    {
        var mailing = await Published(4);
        var rows = await Claim(mailing);
        await Write(rows[2], DeliveryState.Claimed, DeliveryState.Sending);
        await Cancelled(mailing);

        Assert.Equal(LedgerWriteResult.Written, await Write(rows[0], DeliveryState.Claimed, DeliveryState.Pending));
        Assert.Equal(LedgerWriteResult.Fenced, await Write(rows[1], DeliveryState.Claimed, DeliveryState.Sending));
        Assert.Equal(LedgerWriteResult.Written, await Write(rows[2], DeliveryState.Sending, DeliveryState.Deferred, counted: true, reply: "450 later", next: Now.AddMinutes(5)));
        Assert.Equal(new RecoveredRows(1, 0, 0), await Ledger.RecoverAsync("one", OnUncertain.Resend, Now, Cancel));
        Assert.Equal((3, 1), ((await Balance(mailing)).Pending, (await Balance(mailing)).Deferred));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_is_lost_after_the_mailing_was_cancelled_or_the_subscriber_left_is_not_followed_by_another_copy(bool cancelled)
    {
        var mailing = await Published(1);
        var row = (await Claim(mailing)).Single();
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        if (cancelled) await Cancelled(mailing);
        else await Subscribers.UnsubscribeAsync(1, "link", Cancel);

        var lost = new LedgerWrite(row.Id, row.Stamp, DeliveryState.Sending, DeliveryState.Uncertain, CountAttempt: true, Lost, null, Now);
        var again = new LedgerWrite(row.Id, row.Stamp, DeliveryState.Uncertain, DeliveryState.Pending, CountAttempt: false, null, null, Now);
        Assert.Equal([LedgerWriteResult.Written, LedgerWriteResult.Abandoned], await Ledger.WriteAsync([lost, again], Cancel));
        await IsUncertain(row.Id);
        Assert.Equal(1, (await Report(row.Id)).Attempts);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_leaves_while_it_waits_is_uncertain_at_the_next_claim_and_others_who_left_are_suppressed(bool deferred)
    {
        var mailing = await Published(3);
        var again = await HeldAgain(mailing);
        if (deferred)
        {
            await Write(again, DeliveryState.Claimed, DeliveryState.Sending);
            await Write(again, DeliveryState.Sending, DeliveryState.Deferred, counted: true, reply: "450 later", next: Now);
        }
        else
        {
            await Write(again, DeliveryState.Claimed, DeliveryState.Pending);
        }
        foreach (var subscriber in new[] { again.Id.SubscriberId, 2 }) await Subscribers.UnsubscribeAsync(subscriber, "link", Cancel);

        Assert.Equal(3, Assert.Single(await Claim(mailing)).Id.SubscriberId);
        await IsUncertain(again.Id, deferred ? "450 later" : Lost);
        Assert.Equal((DeliveryState.Suppressed, "Not sent: the address is suppressed (unsubscribed)."), ((await Report(new DeliveryId(mailing, 2))).State, (await Report(new DeliveryId(mailing, 2))).Reply));
    }

    [Theory]
    [InlineData(HeldEnding.Released)]
    [InlineData(HeldEnding.Marked)]
    [InlineData(HeldEnding.MarkedAnew)]
    [InlineData(HeldEnding.NotStarted)]
    [InlineData(HeldEnding.PutOff)]
    public async Task Who_leaves_while_it_is_held_is_uncertain_with_the_next_change(HeldEnding ending)
    {
        var mailing = await Published(1);
        var again = await HeldAgain(mailing);
        if (ending is not (HeldEnding.Released or HeldEnding.Marked)) await Write(again, DeliveryState.Claimed, DeliveryState.Sending);
        await Subscribers.UnsubscribeAsync(again.Id.SubscriberId, "link", Cancel);
        Assert.Equal(LedgerWriteResult.Abandoned, await End(again, ending));
        await IsUncertain(again.Id, ending == HeldEnding.PutOff ? "450 later" : Lost);
    }

    [Fact]
    public async Task Who_is_back_before_the_next_look_is_sent_it_again()
    {
        var mailing = await Published(1);
        var again = await HeldAgain(mailing);
        await Write(again, DeliveryState.Claimed, DeliveryState.Pending);
        Bounce(again.Id.SubscriberId);
        Assert.Equal(AddOutcome.BroughtBack, (await Subscribers.AddAsync(List("readers"), again.Recipient.Address, null, new Dictionary<string, string>(), Cancel)).Outcome);
        Assert.Equal((again.Id, 1), ((await Claim(mailing)).Single().Id, (await Report(again.Id)).Resent));
    }

    [Fact]
    public async Task The_editor_decides_it_like_any_other()
    {
        var mailing = await Published(2);
        var rows = new[] { await HeldAgain(mailing), await HeldAgain(mailing) };
        foreach (var row in rows)
        {
            await Subscribers.UnsubscribeAsync(row.Id.SubscriberId, "link", Cancel);
            await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        }
        Assert.Equal(new DecidedRows(0, 2, 2), await Decide(mailing, DeliveryEvent.Resend));
        Place.Execute("UPDATE subscriber SET status = 'active' WHERE id = 1; DELETE FROM suppression WHERE address = 'reader1@example.org'");
        Assert.Equal(new DecidedRows(1, 1, 2), await Decide(mailing, DeliveryEvent.Resend));
        Assert.Equal(1, (await Claim(mailing)).Single().Resent);
        Assert.Equal(new DecidedRows(1, 0, 2), await Decide(mailing, DeliveryEvent.Confirm));
        Assert.Equal((1, 1), ((await Balance(mailing)).Claimed, (await Balance(mailing)).Sent));
    }

    [Fact]
    public async Task In_a_paused_mailing_it_waits()
    {
        var mailing = await Published(1);
        var again = await HeldAgain(mailing);
        Assert.True(await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Paused, null, Now, Cancel));
        Assert.Equal(LedgerWriteResult.Fenced, await Write(again, DeliveryState.Claimed, DeliveryState.Sending));
        Assert.Equal((DeliveryState.Pending, 1), ((await Report(again.Id)).State, (await Report(again.Id)).Resent));
    }

    [Fact]
    public async Task An_address_that_cannot_be_read_any_more_fails_and_says_that_there_was_a_copy()
    {
        var mailing = await Published(1);
        var again = await HeldAgain(mailing);
        await Write(again, DeliveryState.Claimed, DeliveryState.Pending);
        Place.Execute("UPDATE subscriber SET address = 'nonsense'");
        Assert.Empty(await Claim(mailing));
        var failed = await Report(again.Id);
        Assert.Equal(DeliveryState.Failed, failed.State);
        Assert.EndsWith("(An earlier copy may have arrived.)", failed.Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_waited_too_long_fails_and_says_that_there_was_a_copy()
    {
        var mailing = await Published(2);
        var again = await HeldAgain(mailing);
        await Write(again, DeliveryState.Claimed, DeliveryState.Sending);
        await Write(again, DeliveryState.Sending, DeliveryState.Failed, counted: true, reply: "550 no");
        await Decide(mailing, DeliveryEvent.Retry);
        Clock.Advance(TimeSpan.FromDays(9));
        Assert.Equal(2, await Ledger.GiveUpAsync(mailing, Now.AddDays(-1), "Waited too long.", 100, Now, Cancel));
        Assert.Equal(
            ["Waited too long. (An earlier copy may have arrived.)", "Waited too long."],
            await Mailings.DeliveriesAsync(mailing, DeliveryState.Failed, Cancel).Select(report => report.Reply).ToListAsync(Cancel));
    }

    private async Task<LedgerWriteResult> End(Delivery again, HeldEnding ending) => ending switch
    {
        HeldEnding.Released => await Write(again, DeliveryState.Claimed, DeliveryState.Pending),
        HeldEnding.Marked => await Write(again, DeliveryState.Claimed, DeliveryState.Sending),
        HeldEnding.MarkedAnew => await Write(again, DeliveryState.Sending, DeliveryState.Sending),
        HeldEnding.NotStarted => await Write(again, DeliveryState.Sending, DeliveryState.Pending),
        HeldEnding.PutOff => await Write(again, DeliveryState.Sending, DeliveryState.Deferred, counted: true, reply: "450 later", next: Now.AddMinutes(5)),
        _ => throw new ArgumentOutOfRangeException(nameof(ending), ending, "no change of a sender"),
    };

    /// <summary>The mailing's next row: its answer was lost, the editor had it sent again, and it is claimed.</summary>
    private protected async Task<Delivery> HeldAgain(long mailing)
    {
        var row = (await Claim(mailing, 1)).Single();
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Write(row, DeliveryState.Sending, DeliveryState.Uncertain, counted: true, reply: Lost);
        Assert.Equal(1, (await Decide(mailing, DeliveryEvent.Resend)).Changed);
        var again = (await Claim(mailing, 1)).Single();
        Assert.Equal((row.Id, 1), (again.Id, again.Resent));
        return again;
    }

    private protected void Bounce(long subscriber) => Place.Execute(
        $"INSERT INTO suppression (address, reason, source, at) SELECT address, 'bounced', 'relay', 0 FROM subscriber WHERE id = {subscriber}; UPDATE subscriber SET status = 'bounced' WHERE id = {subscriber}");

    private async Task Cancelled(long mailing) => Assert.True(await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], MailingState.Cancelled, null, Now, Cancel));

    // Sent again it was not.
    private async Task IsUncertain(DeliveryId id, string reply = Lost)
    {
        var report = await Report(id);
        Assert.Equal((DeliveryState.Uncertain, 0, reply, null), (report.State, report.Resent, report.Reply, report.NextAttemptAt));
    }

    private Task<DecidedRows> Decide(long mailing, DeliveryEvent decision) => Ledger.DecideAsync(new DecisionPortion(mailing, decision, 0, 100, Now), Cancel);
}

/// <summary>How a row of <see cref="SentAgainSuite{TPlace}"/> that is held when its mailing is cancelled ends.</summary>
public enum HeldEnding
{
    /// <summary>Given back by its sender before the mark.</summary>
    Released,

    /// <summary>Found at its mark.</summary>
    Marked,

    /// <summary>Found when its mark is renewed.</summary>
    MarkedAnew,

    /// <summary>Marked, and given back by its sender.</summary>
    NotStarted,

    /// <summary>The relay said "later".</summary>
    PutOff,

    /// <summary>Its sender was killed before the mark.</summary>
    Recovered,
}
