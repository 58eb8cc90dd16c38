using WeeklyDigest.Deliveries;
using WeeklyDigest.Tests.Relays;

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

    [Fact]
    public async Task A_domain_with_a_rate_gets_its_due_beside_a_long_block_of_others()
    {
        const int Limited = 60;
        const int Others = 1200;
        var options = new DeliveryOptions { Domains = [new DomainOptions { Name = "limited.example", MessagesPerSecond = 20 }] };
        await using var place = EnginePlace.Open(moment => moment.Stage == SmtpStage.Message ? SmtpMove.Hold(Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System), SmtpMove.Accept) : SmtpMove.Accept, options);
        var mailing = await place.PublishAsync(Limited + Others, address: i => i <= Limited ? $"r{i}@limited.example" : $"r{i}@other.example");
        Assert.Equal(Limited + Others, (await place.Start().RunAsync(mailing)).Balance.Sent);

        // Three seconds are enough for them; the others take six.
        var last = place.Server.Accepted.ToList().FindLastIndex(message => message.Recipient.EndsWith("@limited.example", StringComparison.Ordinal));
        Assert.InRange(last, Limited, Limited + Others - 250);
    }
}
