using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>What the gate keeps in mind of domains of which nothing is here.</summary>
public sealed class RememberedDomainsTests
{
    private const int Connections = 16;
    private static readonly SendOutcome Accepted = new(SendResult.Accepted, "250 ok");
    private static readonly SendOutcome SlowDown = new(SendResult.Deferred, "421 4.7.0 less, please") { SlowDown = true };
    private readonly ManualClock clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private readonly DomainGate gate;

    public RememberedDomainsTests() => gate = new DomainGate([], Connections, clock);

    [Fact]
    public void One_that_answered_lately_is_claimed_like_one_that_has_something_under_way()
    {
        Pass(1);
        Pass(2);
        Enter(2);
        Assert.Equal((int.MaxValue, int.MaxValue), (gate.Rooms().Of(1), gate.Rooms().Of(2)));
        clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal((gate.Rooms().Default, int.MaxValue), (gate.Rooms().Of(1), gate.Rooms().Of(2)));
        Assert.InRange(gate.Rooms().Default, 1, 100);
    }

    [Fact]
    public void One_that_has_nothing_here_is_no_company()
    {
        Pass(2);
        for (var i = 0; i < Connections; i++) Enter(1);
        Assert.Throws<InvalidOperationException>(() => (Enter(3), Enter(3), Enter(3), Enter(3), Enter(3)));
    }

    [Fact]
    public void Few_are_remembered_of_many()
    {
        for (var domain = 1; domain <= 100_000; domain++) Pass(domain);
        Assert.InRange(gate.Rooms().Known.Count, 0, 1000);
        clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Empty(gate.Rooms().Known);
        for (var domain = 1; domain <= 30_000; domain++) Pass(domain, SlowDown);
        Assert.InRange(gate.Rooms().Known.Count, 0, 10_000);
    }

    private void Pass(int domain, SendOutcome? outcome = null)
    {
        var (pace, entered) = Enter(domain);
        clock.Advance(TimeSpan.FromMilliseconds(10));
        gate.Leave(domain, pace, entered, outcome ?? Accepted);
    }

    private (DomainPace Domain, TimeSpan Entered) Enter(int domain)
    {
        Assert.True(EmailAddress.TryParse($"reader@example{domain}.org", out var address));
        var subscriber = new Subscriber(1, address, null, new Dictionary<string, string>(), SubscriberStatus.Active, []);
        var pace = gate.Add(new Delivery(new DeliveryId(1, 1), 1, 0, null, subscriber, 0, domain));
        return gate.TryEnter(pace, yields: false, out var entered) ? (pace, entered) : throw new InvalidOperationException("It may not go.");
    }
}
