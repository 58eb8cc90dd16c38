using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Storage;

/// <summary>Waits that no schedule gives are cut. By the true time: a database that has a clock of its own compares.</summary>
public abstract class LongWaitSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(4);

    private readonly DateTimeOffset now = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    [Fact]
    public async Task A_wait_that_is_longer_than_the_longest_is_cut_to_it_and_no_other_is_touched()
    {
        var mailing = await Published(4);
        TimeSpan[] waits = [TimeSpan.FromDays(1), Longest + TimeSpan.FromMilliseconds(1), Longest, TimeSpan.FromMinutes(5)];
        await DeferAsync(mailing, [.. waits.Select(wait => now + wait)]);

        Assert.Equal(2, await CutAsync(now));
        Assert.Equal([now + Longest, now + Longest, now + Longest, now + waits[3]], await TimesAsync(mailing));
        Assert.Equal(0, await CutAsync(now));
    }

    [Fact]
    public async Task They_are_cut_in_portions()
    {
        var mailing = await Published(5);
        await DeferAsync(mailing, [.. Enumerable.Repeat(now.AddDays(1), 5)]);

        Assert.Equal(3, await CutAsync(now, 3));
        Assert.Equal(2, await CutAsync(now, 3));
        Assert.All(await TimesAsync(mailing), time => Assert.Equal(now + Longest, time));
    }

    [Theory]
    [InlineData(MailingState.Paused, 0)]
    [InlineData(MailingState.Cancelled, 0)]
    [InlineData(MailingState.Sending, 1)]
    public async Task Only_mailings_that_are_being_sent_are_looked_at(MailingState state, int cut)
    {
        var mailing = await Published(1);
        await DeferAsync(mailing, [now.AddDays(1)]);
        await Mailings.ChangeStateAsync(mailing, [MailingState.Sending], state, null, now, Cancel);
        Assert.Equal(cut, await CutAsync(now));
    }

    private protected async Task DeferAsync(long mailing, IReadOnlyList<DateTimeOffset> times)
    {
        foreach (var (row, next) in (await Claim(mailing)).Zip(times))
        {
            await Write(row, DeliveryState.Claimed, DeliveryState.Sending, counted: true);
            await Write(row, DeliveryState.Sending, DeliveryState.Deferred, reply: "451 later", next: next);
        }
    }

    private protected Task<long> CutAsync(DateTimeOffset at, int count = 100) => Ledger.CutWaitsAsync(at + Longest, count, at, Cancel);

    private protected async Task<List<DateTimeOffset?>> TimesAsync(long mailing)
        => await Mailings.DeliveriesAsync(mailing, null, Cancel).Select(report => report.NextAttemptAt).ToListAsync(Cancel);
}
