using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Which domains a gate tells are held back in earnest.</summary>
public sealed class HeldBackDomainsTests
{
    private const int Connections = 16;
    private static readonly SendOutcome Accepted = new(SendResult.Accepted, "250 ok");
    private static readonly SendOutcome SlowDown = new(SendResult.Deferred, "421 4.7.0 less, please") { SlowDown = true };
    private readonly ManualClock clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Without_any_the_ledger_is_not_asked()
    {
        var gate = Gate(new DomainOptions { Name = "example9.org", Connections = Connections });
        for (var i = 0; i < 100; i++) Pass(gate, 1, Accepted, 10);
        gate.Add(Delivery(2));
        Assert.Empty(Told(gate));
        // There is none to ask.
        var domains = new HeldBackDomains(1, null!, gate, clock);
        Assert.Equal(0, (await domains.ReadAsync(100, TimeSpan.MaxValue, TestContext.Current.CancellationToken)).Rows(clock));
    }

    [Fact]
    public void The_last_one_that_is_in_somebodys_hands_waits_for_no_limit()
    {
        var last = new DomainLeft(new DomainRows(1, 0, 1, 0), 1 / 60.0, 1 / 60.0, TimeSpan.FromSeconds(59)) { HasRate = true };
        Assert.Equal(0, last.Seconds(0, 0));
        Assert.Equal(59 + 60, (last with { Rows = new DomainRows(1, 1, 1, 0) }).Seconds(0, 0), 0.001);
    }

    [Fact]
    public void Those_that_the_settings_limit_are()
    {
        var gate = Gate(new DomainOptions { MessagesPerMinute = 120 }, new DomainOptions { Name = "example2.org", Connections = 2 }, new DomainOptions { Name = "example3.org", MessagesPerSecond = 5 });
        gate.Add(Delivery(1));
        Pass(gate, 2, Accepted, 100);
        Assert.Equal(["example2.org", "example3.org"], gate.Limited);
        // The third has nothing here.
        Assert.Equal([(3, 5.0), (1, 2.0), (2, double.PositiveInfinity)], gate.HeldBack([(3, "example3.org")], new HashSet<long>(), 10).Select(one => (one.Id, one.Allowed)));
        Pass(gate, 1, Accepted, 100);
        Assert.Equal((TimeSpan.Zero, 380.0), (Told(gate).Single(one => one.Id == 1).PausedFor, Told(gate).Single(one => one.Id == 1).OpensIn.TotalMilliseconds));
        Assert.Equal(new DomainRoom(20, 20), Told(gate).Single(one => one.Id == 2).Room);
    }

    [Fact]
    public void One_that_asks_for_less_is_and_its_pause_is_told_but_not_what_its_places_carry()
    {
        var gate = Gate();
        Pass(gate, 1, Accepted, 10);
        Pass(gate, 1, SlowDown, 10);
        Assert.Equal(new HeldBackDomain(1, double.PositiveInfinity, TimeSpan.Zero, null), Assert.Single(Told(gate)) with { AnswerTime = TimeSpan.Zero });
        Pass(gate, 1, SlowDown, 10);
        clock.Advance(TimeSpan.FromMilliseconds(400));
        var paused = Assert.Single(Told(gate));
        Assert.Equal((TimeSpan.FromMilliseconds(600), paused.PausedFor), (paused.PausedFor, paused.OpensIn));
    }

    [Fact]
    public void One_that_answers_slowly_is_and_has_more_room_when_the_others_are_gone()
    {
        var gate = Gate();
        for (var i = 0; i < 100; i++) Pass(gate, 2, Accepted, 10);
        Pass(gate, 1, Accepted, 2000);
        Assert.Equal(new DomainRoom(2, 8), Assert.Single(Told(gate)).Room);
    }

    [Fact]
    public void Of_too_many_those_are_told_of_which_most_is_here()
    {
        var gate = Gate(new DomainOptions { Connections = 2 });
        foreach (var domain in (int[])[1, 2, 2, 2, 3, 3]) gate.Add(Delivery(domain));
        Assert.Equal([2, 3], gate.HeldBack([], new HashSet<long>(), 2).Select(one => one.Id));
    }

    private DomainGate Gate(params DomainOptions[] options) => new(options, Connections, clock);

    private static IReadOnlyList<HeldBackDomain> Told(DomainGate gate) => gate.HeldBack([], new HashSet<long>(), 10);

    // Something of it stays, so that it is not forgotten.
    private void Pass(DomainGate gate, int domain, SendOutcome outcome, int milliseconds)
    {
        gate.Add(Delivery(domain));
        var pace = gate.Add(Delivery(domain));
        Assert.True(gate.TryEnter(pace, yields: false, out var entered));
        clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
        gate.Leave(domain, pace, entered, outcome);
    }

    private static Delivery Delivery(int domain)
    {
        Assert.True(EmailAddress.TryParse($"reader@example{domain}.org", out var address));
        return new Delivery(new DeliveryId(1, 1), 1, 0, null, new Subscriber(1, address, null, new Dictionary<string, string>(), SubscriberStatus.Active, []), 0, domain);
    }
}
