using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Deliveries;

public sealed class DeliveryVerdictsTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(SendResult.Accepted, DeliveryState.Sent, true)]
    [InlineData(SendResult.Deferred, DeliveryState.Deferred, true)]
    [InlineData(SendResult.Rejected, DeliveryState.Failed, true)]
    [InlineData(SendResult.NotStarted, DeliveryState.Pending, false)]
    [InlineData(SendResult.Unknown, DeliveryState.Uncertain, true)]
    public void Every_outcome_has_its_state(SendResult result, DeliveryState expected, bool counts)
    {
        var write = Assert.Single(Verdicts(OnUncertain.Hold).Of(Delivery(0), new SendOutcome(result, "the words"), Now));
        Assert.Equal((DeliveryState.Sending, expected, counts), (write.From, write.To, write.CountAttempt));
        Assert.Equal(counts ? "the words" : null, write.Reply);
        Assert.Equal(result == SendResult.Deferred, write.NextAttemptAt is not null);
    }

    [Fact]
    public void A_delivery_that_is_deferred_too_long_fails_and_says_so()
    {
        var delivery = Delivery(9) with { FirstAttemptAt = Now.AddDays(-3) };
        var write = Assert.Single(Verdicts(OnUncertain.Hold).Of(delivery, new SendOutcome(SendResult.Deferred, "451 4.3.0 busy"), Now));
        Assert.Equal(DeliveryState.Failed, write.To);
        Assert.Equal("Gave up after 10 attempts in 3.00:00:00; last reply: 451 4.3.0 busy", write.Reply);
    }

    [Fact]
    public void A_reply_never_grows_over_its_limit()
    {
        var delivery = Delivery(9) with { FirstAttemptAt = Now.AddDays(-3) };
        var write = Assert.Single(Verdicts(OnUncertain.Hold).Of(delivery, new SendOutcome(SendResult.Deferred, new string('x', 500)), Now));
        Assert.Equal(500, write.Reply!.Length);
    }

    [Fact]
    public void A_reply_is_not_cut_in_the_middle_of_a_character()
    {
        var delivery = Delivery(9) with { FirstAttemptAt = Now.AddDays(-3), Resent = 1 };
        foreach (var length in Enumerable.Range(400, 100))
        {
            var outcome = new SendOutcome(SendResult.Deferred, new string('x', length) + "\U0001F600\U0001F600");
            var reply = Assert.Single(Verdicts(OnUncertain.Hold).Of(delivery, outcome, Now)).Reply!;
            Assert.InRange(reply.Length, 450, 500);
            Assert.DoesNotContain(reply.EnumerateRunes(), rune => rune == System.Text.Rune.ReplacementChar);
        }
    }

    [Fact]
    public void A_refused_second_copy_says_that_an_earlier_one_may_have_arrived()
    {
        var refused = new SendOutcome(SendResult.Rejected, "550 5.1.1 No such user");
        Assert.Equal("550 5.1.1 No such user (An earlier copy may have arrived.)", Assert.Single(Verdicts(OnUncertain.Resend).Of(Delivery(1) with { Resent = 1 }, refused, Now)).Reply);
        Assert.Equal("550 5.1.1 No such user", Assert.Single(Verdicts(OnUncertain.Resend).Of(Delivery(1), refused, Now)).Reply);
    }

    [Fact]
    public void A_lost_answer_is_sent_again_once_where_the_settings_say_so()
    {
        var lost = new SendOutcome(SendResult.Unknown, "connection lost");
        var states = Verdicts(OnUncertain.Resend).Of(Delivery(3), lost, Now).Select(write => (write.From, write.To));
        Assert.Equal([(DeliveryState.Sending, DeliveryState.Uncertain), (DeliveryState.Uncertain, DeliveryState.Pending)], states);
        Assert.Equal(DeliveryState.Uncertain, Assert.Single(Verdicts(OnUncertain.Resend).Of(Delivery(4) with { Resent = 1 }, lost, Now)).To);
    }

    private static DeliveryVerdicts Verdicts(OnUncertain onUncertain) => new(new RetrySchedule(new DeliveryOptions(), new Random(1)), onUncertain);

    private static Delivery Delivery(int attempts)
    {
        Assert.True(EmailAddress.TryParse("ada@example.org", out var address));
        var subscriber = new Subscriber(7, address, "Ada", new Dictionary<string, string>(), SubscriberStatus.Active, []);
        return new Delivery(new DeliveryId(1, 7), 3, attempts, null, subscriber);
    }
}
