using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

/// <summary>A sending mark that is made once more, since it grew old before the message could leave.</summary>
public abstract class MarkSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    [Fact]
    public async Task It_finds_who_has_left_since_and_until_then_the_row_is_its_senders()
    {
        var mailing = await Published(2);
        var rows = await Claim(mailing);
        foreach (var row in rows) await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Subscribers.UnsubscribeAsync(rows[0].Id.SubscriberId, "link", Cancel);
        Assert.Equal(DeliveryState.Sending, (await Report(rows[0].Id)).State);

        Assert.Equal(LedgerWriteResult.Suppressed, await Write(rows[0], DeliveryState.Sending, DeliveryState.Sending));
        Assert.Equal(LedgerWriteResult.Written, await Write(rows[1], DeliveryState.Sending, DeliveryState.Sending));

        var left = await Report(rows[0].Id);
        Assert.Equal((DeliveryState.Suppressed, 0, "Not sent: the address is suppressed (unsubscribed)."), (left.State, left.Attempts, left.Reply));
        Assert.Equal(1, Assert.Single(await Ledger.HoldersAsync(Cancel)).Rows);
        Assert.Equal(LedgerWriteResult.Written, await Write(rows[1], DeliveryState.Sending, DeliveryState.Sent, counted: true));
        Assert.Equal((1, 1, 1), ((await Balance(mailing)).Suppressed, (await Balance(mailing)).Sent, (await Balance(mailing)).Attempts));
    }

    [Theory]
    [InlineData(MailingState.Paused)]
    [InlineData(MailingState.Cancelled)]
    public async Task It_finds_that_the_mailing_has_stopped_and_gives_the_row_back(MailingState state)
    {
        var mailing = await Published(1);
        var row = (await Claim(mailing)).Single();
        await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], state, null, Now, Cancel);
        Assert.Equal(DeliveryState.Sending, (await Report(row.Id)).State);

        Assert.Equal(LedgerWriteResult.Fenced, await Write(row, DeliveryState.Sending, DeliveryState.Sending));
        Assert.Equal((1, 0), ((await Balance(mailing)).Pending, (await Balance(mailing)).Attempts));
        Assert.Empty(await Ledger.HoldersAsync(Cancel));
    }

    [Fact]
    public async Task It_leaves_a_row_alone_that_was_recovered_or_is_anothers()
    {
        var mailing = await Published(2);
        var rows = await Claim(mailing);
        foreach (var row in rows) await Write(row, DeliveryState.Claimed, DeliveryState.Sending);
        await Ledger.RecoverAsync("one", OnUncertain.Hold, Now, Cancel);
        await Write(rows[1], DeliveryState.Uncertain, DeliveryState.Pending);
        await Claim(mailing, owner: "two");
        await Subscribers.UnsubscribeAsync(rows[0].Id.SubscriberId, "link", Cancel);

        foreach (var row in rows) Assert.Equal(LedgerWriteResult.Fenced, await Write(row, DeliveryState.Sending, DeliveryState.Sending));
        Assert.Equal((1, 1), ((await Balance(mailing)).Uncertain, (await Balance(mailing)).Claimed));
    }
}
