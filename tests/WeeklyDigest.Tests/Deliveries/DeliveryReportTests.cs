using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Deliveries;

public sealed class DeliveryReportTests
{
    [Theory]
    [InlineData(0, new DeliveryState[0])]
    [InlineData(1, new[] { DeliveryState.Sending, DeliveryState.Sent, DeliveryState.Uncertain })]
    [InlineData(2, new[]
    {
        DeliveryState.Pending, DeliveryState.Claimed, DeliveryState.Sending, DeliveryState.Deferred, DeliveryState.Sent, DeliveryState.Failed, DeliveryState.Suppressed, DeliveryState.Uncertain,
    })]
    public void A_second_copy_may_be_there_once_it_was_handed_over_and_not_refused(int resent, DeliveryState[] expected)
        => Assert.Equal(expected, Enum.GetValues<DeliveryState>().Where(state => Report(state, resent).MayBeThereTwice));

    private static DeliveryReport Report(DeliveryState state, int resent) => new("ann@example.org", state, 1, null, 1, 1, DateTimeOffset.UnixEpoch, null, resent);
}
