namespace WeeklyDigest.Tests.Publishing;

/// <summary>How often a run claims.</summary>
public sealed class ClaimFeedTests
{
    [Fact]
    public async Task Rows_that_somebody_elses_transaction_holds_are_asked_for_once_a_second()
    {
        await using var place = EnginePlace.Open();
        var mailing = await place.PublishAsync(5);
        VainClaims? claims = null;
        place.Around = ledger =>
        {
            var watched = VainClaims.Over(ledger, 4);
            claims = (VainClaims)(object)watched;
            return watched;
        };
        Assert.Equal(5, (await place.Start().RunAsync(mailing)).Balance.Sent);

        // The second one is made at once: rows may have come back since the first.
        var pauses = claims!.Moments.Skip(1).Take(3).Zip(claims.Moments.Skip(2), TimeProvider.System.GetElapsedTime);
        Assert.All(pauses, pause => Assert.InRange(pause, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(10)));
    }
}
