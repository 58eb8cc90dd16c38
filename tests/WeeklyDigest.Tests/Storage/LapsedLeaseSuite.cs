using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Storage;

/// <summary>Rows of an owner whose lease was over when somebody looked; it may be heard of again before they are taken back.</summary>
public abstract class LapsedLeaseSuite<TPlace> : StorageSuite<TPlace> where TPlace : IDatabasePlace, new()
{
    [Fact]
    public async Task They_are_taken_back_while_the_owner_is_not_heard_of()
    {
        var mailing = await LapsedAsync();
        Assert.Equal(new RecoveredRows(1, 1, 0), await RecoverAsync());
        Assert.Equal(new RecoveredRows(0, 0, 0), await RecoverAsync());
        Assert.Equal(3, (await Balance(mailing)).Pending);
    }

    [Fact]
    public async Task They_stay_with_an_owner_that_has_renewed_its_lease()
    {
        await LapsedAsync();
        await Ledger.RenewAsync(Claimant(), Cancel);
        Assert.Equal(new RecoveredRows(0, 0, 0), await RecoverAsync());
        Assert.Equal(2, Assert.Single(await Ledger.HoldersAsync(Cancel)).Rows);
    }

    [Fact]
    public async Task They_stay_with_an_owner_that_has_claimed_others_since()
    {
        var mailing = await LapsedAsync();
        Assert.Single(await Claim(mailing));
        Assert.Equal(new RecoveredRows(0, 0, 0), await RecoverAsync());
        Assert.Equal(3, Assert.Single(await Ledger.HoldersAsync(Cancel)).Rows);
    }

    private protected Task<RecoveredRows> RecoverAsync() => Ledger.RecoverLapsedAsync("one", OnUncertain.Resend, Now, Cancel);

    /// <summary>Three recipients; of two that the owner has claimed one is under way, and the lease is over.</summary>
    private protected async Task<long> LapsedAsync()
    {
        var mailing = await Published(3);
        var rows = await Claim(mailing, 2);
        await Write(rows[0], DeliveryState.Claimed, DeliveryState.Sending);
        Place.Execute("UPDATE delivery SET lease_until = 1 WHERE owner IS NOT NULL");
        return mailing;
    }
}
