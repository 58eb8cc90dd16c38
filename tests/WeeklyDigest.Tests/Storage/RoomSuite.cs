using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Storage;

/// <summary>Claims that pass by what may not go now.</summary>
public abstract class RoomSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    private static readonly Dictionary<long, int> None = [];

    [Fact]
    public async Task Takes_no_more_of_a_domain_than_it_has_room_for_and_says_that_it_passed_rows_by()
    {
        var mailing = await SlowAndFastAsync(50, 10);
        var (slow, fast) = await DomainsAsync(mailing);

        var claimed = await ClaimAsync(mailing, 100, new DomainRooms(0, new Dictionary<long, int> { [slow] = 3, [fast] = int.MaxValue }));

        Assert.Equal((3, 10), (claimed.Deliveries.Count(row => row.DomainId == slow), claimed.Deliveries.Count(row => row.DomainId == fast)));
        Assert.Equal((0L, true), (claimed.Next, claimed.PassedOver));
        Assert.Empty((await ClaimAsync(mailing, 100, new DomainRooms(0, None))).Deliveries);
        Assert.Equal(47, (await ClaimAsync(mailing, 100, DomainRooms.Open)).Deliveries.Count);
    }

    [Fact]
    public async Task Walks_on_from_where_it_stopped_and_round_again()
    {
        var mailing = await Published(25);
        var ids = new List<long>();
        var next = 0L;
        do
        {
            var claimed = await Ledger.ClaimAsync(new ClaimRequest(mailing, 10, Claimant()) { After = next }, Cancel);
            ids.AddRange(claimed.Deliveries.Select(row => row.Id.SubscriberId));
            next = claimed.Next;
        }
        while (next > 0);
        Assert.Equal(Enumerable.Range(1, 25).Select(i => (long)i), ids);
    }

    [Fact]
    public async Task Looks_at_a_bounded_number_of_rows_and_finds_the_others_in_the_next_claims()
    {
        var mailing = await SlowAndFastAsync(25_000, 5);
        var (slow, _) = await DomainsAsync(mailing);
        var rooms = new DomainRooms(int.MaxValue, new Dictionary<long, int> { [slow] = 0 });
        var (found, claims, next) = (0, 0, 0L);
        do
        {
            var claimed = await Ledger.ClaimAsync(new ClaimRequest(mailing, 100, Claimant()) { After = next, Rooms = rooms }, Cancel);
            (found, claims, next) = (found + claimed.Deliveries.Count, claims + 1, claimed.Next);
        }
        while (next > 0);
        Assert.Equal((5, 3), (found, claims));
    }

    [Fact]
    public async Task Due_rows_without_room_move_out_of_the_way_when_they_hide_the_others()
    {
        var mailing = await SlowAndFastAsync(10_050, 5);
        var (slow, _) = await DomainsAsync(mailing);
        await DeferAllAsync(mailing);
        Clock.Advance(TimeSpan.FromMinutes(5));
        var rooms = new DomainRooms(int.MaxValue, new Dictionary<long, int> { [slow] = 0 });
        var request = new ClaimRequest(mailing, 100, Claimant()) { Rooms = rooms, PostponeTo = Now.AddMinutes(5) };

        Assert.Empty((await Ledger.ClaimAsync(request, Cancel)).Deliveries);
        var second = await Ledger.ClaimAsync(request, Cancel);
        Assert.Equal((5, true), (second.Deliveries.Count, second.PassedOver));

        var postponed = await Mailings.DeliveriesAsync(mailing, DeliveryState.Deferred, Cancel).Where(row => row.NextAttemptAt > Now).ToListAsync(Cancel);
        Assert.Equal(10_000, postponed.Count);
        Assert.All(postponed, row => Assert.InRange(row.NextAttemptAt!.Value, Now.AddMinutes(5), Now.AddMinutes(10)));
        Assert.All(postponed, row => Assert.Equal(1, row.Attempts));
    }

    [Fact]
    public async Task Tells_where_each_domain_begins_that_it_passed_by()
    {
        var mailing = await SlowAndFastAsync(50, 10);
        var (slow, fast) = await DomainsAsync(mailing);

        var claimed = await ClaimAsync(mailing, 100, new DomainRooms(0, new Dictionary<long, int> { [slow] = 3, [fast] = 10 }));
        Assert.Equal([(slow, 3L)], claimed.Passed.Select(entry => (entry.Key, entry.Value)));

        var next = await Ledger.ClaimAsync(new ClaimRequest(mailing, 1, Claimant()) { After = claimed.Passed[slow] }, Cancel);
        Assert.Equal((4, 4L), (next.Deliveries.Single().Id.SubscriberId, next.Next));
        Assert.Empty(next.Passed);
    }

    [Fact]
    public async Task Tells_nothing_of_due_rows_and_of_stopped_domains_that_it_passed_by()
    {
        var mailing = await SlowAndFastAsync(3, 2);
        var (slow, fast) = await DomainsAsync(mailing);
        await StopAsync(mailing, slow);
        var claimed = await ClaimAsync(mailing, 100, new DomainRooms(0, None));
        Assert.Equal((fast, true), (Assert.Single(claimed.Passed).Key, claimed.PassedOver));

        await DeferAllAsync(mailing);
        Clock.Advance(TimeSpan.FromMinutes(6));
        claimed = await ClaimAsync(mailing, 100, new DomainRooms(0, None));
        Assert.Equal((0, true), (claimed.Passed.Count, claimed.PassedOver));
    }

    [Fact]
    public async Task Pending_rows_alone_can_be_asked_for()
    {
        var mailing = await SlowAndFastAsync(3, 2);
        await DeferAllAsync(mailing);
        Clock.Advance(TimeSpan.FromMinutes(5));
        var request = new ClaimRequest(mailing, 100, Claimant()) { PendingOnly = true };
        Assert.Empty((await Ledger.ClaimAsync(request, Cancel)).Deliveries);
        Assert.Equal(5, (await Ledger.ClaimAsync(request with { PendingOnly = false }, Cancel)).Deliveries.Count);
    }

    private Task<ClaimedRows> ClaimAsync(long mailing, int count, DomainRooms rooms)
        => Ledger.ClaimAsync(new ClaimRequest(mailing, count, Claimant()) { Rooms = rooms }, Cancel);

    private async Task<long> SlowAndFastAsync(int slow, int fast)
    {
        await Import("readers", [.. Enumerable.Range(1, slow).Select(i => $"a{i}@slow.example"), .. Enumerable.Range(1, fast).Select(i => $"b{i}@fast.example")]);
        return (await Publish()).MailingId;
    }

    private async Task<(long Slow, long Fast)> DomainsAsync(long mailing)
    {
        var all = await ClaimAsync(mailing, 100_000, DomainRooms.Open);
        await Ledger.RecoverAsync("one", OnUncertain.Hold, Now, Cancel);
        return (all.Deliveries[0].DomainId, all.Deliveries[^1].DomainId);
    }

    private async Task StopAsync(long mailing, long domain)
    {
        var row = Assert.Single((await ClaimAsync(mailing, 1, new DomainRooms(0, new Dictionary<long, int> { [domain] = 1 }))).Deliveries);
        await Ledger.WriteAsync([new LedgerWrite(row.Id, row.Stamp, DeliveryState.Claimed, DeliveryState.Sending, CountAttempt: false, null, null, Now)], Cancel);
        var refused = new LedgerWrite(row.Id, row.Stamp, DeliveryState.Sending, DeliveryState.Failed, CountAttempt: true, "554 5.7.1 no", null, Now);
        await Ledger.WriteAsync([refused with { Refusal = Refusal.Policy, StopsDomain = domain }], Cancel);
    }

    private async Task DeferAllAsync(long mailing)
    {
        var all = new List<Delivery>();
        while ((await ClaimAsync(mailing, 10_000, DomainRooms.Open)).Deliveries is { Count: > 0 } some) all.AddRange(some);
        // The fast ones come last: rows that are due at the same moment come in no order.
        LedgerWrite Change(Delivery row, DeliveryState from, DeliveryState to)
            => new(row.Id, row.Stamp, from, to, to == DeliveryState.Deferred, null, Now.AddMinutes(row.Recipient.Address.Domain == "slow.example" ? 4 : 5), Now);
        // In groups, as the writer of the ledger makes them.
        foreach (var some in all.Chunk(2000))
        {
            await Ledger.WriteAsync([.. some.Select(row => Change(row, DeliveryState.Claimed, DeliveryState.Sending))], Cancel);
            await Ledger.WriteAsync([.. some.Select(row => Change(row, DeliveryState.Sending, DeliveryState.Deferred))], Cancel);
        }
    }
}
