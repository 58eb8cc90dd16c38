using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Commands;

namespace WeeklyDigest.Tests.Commands;

public sealed class DeliveryDisplayTests
{
    private static readonly Balance Half = new(Total: 10, Pending: 3, Claimed: 1, Sending: 1, Deferred: 1, Sent: 3, Failed: 1, Suppressed: 0, Uncertain: 0, Attempts: 6, Unsubscribed: 0);

    [Fact]
    public void A_line_names_every_state_that_has_deliveries()
        => Assert.Equal(
            "3 pending, 1 claimed, 1 sending, 1 deferred, 3 sent, 1 failed of 10; 2.5/s; 01:02:03 left; the relay is down",
            DeliveryDisplay.Describe(new DeliveryProgress(Half, 2.5, new TimeSpan(1, 2, 3), "the relay is down")));

    [Fact]
    public void Beside_a_bar_stands_what_was_sent_and_what_needs_a_look()
        => Assert.Equal("1 deferred, 3 sent, 1 failed of 10", DeliveryDisplay.Summarize(new DeliveryProgress(Half, 0, null, null)));

    [Fact]
    public void A_balance_that_does_not_add_up_says_so()
    {
        Assert.Equal("10 = 3 pending + 1 claimed + 1 sending + 1 deferred + 3 sent + 1 failed + 0 suppressed + 0 uncertain", BalanceView.Sum(Half));
        Assert.EndsWith("DOES NOT ADD UP: this is an error in WeeklyDigest or in the database; please report it.", BalanceView.Sum(Half with { Total = 11 }), StringComparison.Ordinal);
    }
}
