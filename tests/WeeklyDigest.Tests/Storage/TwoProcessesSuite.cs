using System.Collections.Concurrent;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

/// <summary>Two openings of one database share nothing but the database, as two processes do.</summary>
public abstract class TwoProcessesSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    [Fact]
    public async Task Each_row_is_claimed_and_sent_exactly_once()
    {
        const int Subscribers = 3000;
        var mailing = await Published(Subscribers);
        using var other = Open();
        var sent = new ConcurrentBag<DeliveryId>();

        await Task.WhenAll(
            Deliver(Ledger, mailing, "one-a", sent), Deliver(Ledger, mailing, "one-b", sent),
            Deliver(other.Ledger, mailing, "two-a", sent), Deliver(other.Ledger, mailing, "two-b", sent));

        Assert.Equal(Subscribers, sent.Count);
        Assert.Equal(Subscribers, sent.Distinct().Count());
        Assert.Equal((Subscribers, Subscribers), ((int)(await Balance(mailing)).Sent, (int)(await Balance(mailing)).Attempts));
    }

    [Fact]
    public async Task Publishing_at_once_makes_one_mailing()
    {
        await Import("readers", Enumerable.Range(1, 500).Select(i => $"reader{i}@example.org"));
        using var other = Open();
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? Database : other).Mailings.PublishAsync(
            new PublishRequest(Slug("week-1"), [List("readers")], Content(), null, Now), Cancel)));

        Assert.Single(results, result => result.Created);
        Assert.Single(results.Select(result => result.MailingId).Distinct());
        Assert.Equal(500, results.Sum(result => result.Added));
        Assert.Equal(500, (await Balance(results[0].MailingId)).Total);
    }

    [Fact]
    public async Task Of_beginning_and_giving_another_time_at_once_one_wins()
    {
        await Import("readers", "ann@example.org");
        using var other = Open();
        for (var i = 0; i < 20; i++)
        {
            var request = new PublishRequest(Slug($"week-{i}"), [List("readers")], Content(), Now, Now);
            var mailing = (await Mailings.PublishAsync(request, Cancel)).MailingId;

            var begins = Mailings.ChangeStateAsync(mailing, [MailingState.Scheduled], MailingState.Sending, null, Now, Cancel);
            var changes = other.Mailings.RescheduleAsync(mailing, Content("h2"), Now.AddHours(1), Cancel);

            Assert.NotEqual(await begins, await changes);
            var after = await Mailings.FindAsync(mailing, Cancel);
            Assert.Equal(
                await begins ? (MailingState.Sending, Now, "h1") : (MailingState.Scheduled, Now.AddHours(1), "h2"),
                (after!.State, after.ScheduledAt!.Value, (await Mailings.ContentAsync(mailing, Cancel)).Email.Hash));
        }
    }

    [Fact]
    public async Task Imports_at_once_make_each_subscriber_once()
    {
        using var other = Open();
        var addresses = Enumerable.Range(1, 2000).Select(i => Row($"reader{i}@example.org")).ToList();
        var counts = await Task.WhenAll(
            Subscribers.ImportAsync(List("readers"), addresses, Cancel), other.Subscribers.ImportAsync(List("guests"), addresses, Cancel));
        Assert.Equal((2000, 2000), (counts.Sum(count => count.Added), counts.Sum(count => count.Updated)));
    }

    [Fact]
    public async Task A_first_start_at_once_makes_one_schema()
    {
        using var place = new TPlace();
        var opened = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => WeeklyDigest.Storage.Database.Open(place.Options, Clock), Cancel)));
        var lists = await Task.WhenAll(opened.Select(database => database.Subscribers.ListsAsync(Cancel)));
        Assert.All(lists, Assert.Empty);
        foreach (var database in opened) database.Dispose();
    }

    private async Task Deliver(ILedger ledger, long mailing, string owner, ConcurrentBag<DeliveryId> sent)
    {
        while ((await ledger.ClaimAsync(new ClaimRequest(mailing, 50, Claimant(owner)), Cancel)).Deliveries is { Count: > 0 } rows)
        {
            var begun = await ledger.WriteAsync([.. rows.Select(row => Change(row, DeliveryState.Claimed, DeliveryState.Sending, true))], Cancel);
            Assert.All(begun, result => Assert.Equal(LedgerWriteResult.Written, result));
            foreach (var row in rows) sent.Add(row.Id);
            await ledger.WriteAsync([.. rows.Select(row => Change(row, DeliveryState.Sending, DeliveryState.Sent, false))], Cancel);
        }
    }

    private LedgerWrite Change(Delivery row, DeliveryState from, DeliveryState to, bool counted)
        => new(row.Id, row.Stamp, from, to, counted, null, null, Now);
}
