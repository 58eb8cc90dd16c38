using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class DomainGateTests
{
    private const int Connections = 16;
    private static readonly SendOutcome Accepted = new(SendResult.Accepted, "250 ok");
    private static readonly SendOutcome SlowDown = new(SendResult.Deferred, "421 4.7.0 less, please") { SlowDown = true };
    private readonly ManualClock clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private readonly List<(DomainPace Domain, TimeSpan Entered)> underWay = [];

    [Fact]
    public void A_domain_that_has_not_answered_yet_gets_a_quarter_of_the_connections()
    {
        var gate = With(Gate(), 1, 2);
        Assert.Equal(4, EnterAll(gate, 1));
        Answer(gate, 1, Accepted, TimeSpan.FromMilliseconds(10));
        Assert.Equal(Connections, EnterAll(gate, 1, Connections));
    }

    [Fact]
    public void The_only_domain_there_is_need_not_answer_first()
    {
        var gate = With(Gate(), 1);
        Assert.Equal(Connections, EnterAll(gate, 1, Connections));
    }

    [Fact]
    public void A_slow_domain_gets_a_quarter_while_the_others_get_all()
    {
        var gate = With(Gate(), 1, 2);
        for (var i = 0; i < 200; i++) Pass(gate, 2, TimeSpan.FromMilliseconds(10));
        Pass(gate, 1, TimeSpan.FromSeconds(5));
        Assert.Equal(4, EnterAll(gate, 1));
        Assert.Equal(Connections, EnterAll(gate, 2, Connections));
    }

    [Fact]
    public void A_slow_domain_on_its_own_is_not_held_back()
    {
        var gate = With(Gate(), 1);
        for (var i = 0; i < 5; i++) Pass(gate, 1, TimeSpan.FromSeconds(5));
        Assert.Equal(Connections, EnterAll(gate, 1, Connections));
    }

    [Fact]
    public void A_slow_domain_on_its_own_goes_on_beside_a_recipient_whose_answer_takes_minutes()
    {
        var gate = With(new DomainGate([], 4, clock), 1);
        Assert.Equal(1, EnterAll(gate, 1, 1));
        // It is not answered in this test.
        underWay.Clear();
        for (var i = 0; i < 50; i++) Pass(gate, 1, TimeSpan.FromMilliseconds(10));
        // The disk was busy for some seconds.
        for (var i = 0; i < 15; i++) Pass(gate, 1, TimeSpan.FromMilliseconds(500));
        Assert.Equal(3, EnterAll(gate, 1, 3));
    }

    [Fact]
    public void Where_all_places_of_a_slow_domain_wait_for_single_recipients_others_are_tried_after_a_while()
    {
        var gate = With(new DomainGate([], 4, clock), 1, 2);
        for (var i = 0; i < 200; i++) Pass(gate, 2, TimeSpan.FromMilliseconds(10));
        Pass(gate, 1, TimeSpan.FromSeconds(5));
        Assert.Equal(1, EnterAll(gate, 1));

        clock.Advance(TimeSpan.FromSeconds(15) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, EnterAll(gate, 1));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(2, EnterAll(gate, 1, 2));

        // It answers: as slow as before it is held back again.
        Answer(gate, 1, Accepted, TimeSpan.FromSeconds(5));
        Assert.Equal(0, EnterAll(gate, 1));
    }

    [Fact]
    public void One_recipient_in_a_hundred_that_takes_a_minute_makes_no_slow_domain()
    {
        var gate = With(Gate(), 1);
        for (var i = 1; i <= 300; i++) Pass(gate, 1, i % 100 == 0 ? TimeSpan.FromMinutes(1) : TimeSpan.FromMilliseconds(10));
        Assert.Equal(Connections, EnterAll(gate, 1, Connections));
    }

    [Fact]
    public void A_domain_that_stops_answering_gets_no_more_than_a_quarter()
    {
        var gate = With(Gate(), 1);
        for (var i = 0; i < 50; i++) Pass(gate, 1, TimeSpan.FromMilliseconds(10));
        Assert.Equal(6, EnterAll(gate, 1, 6));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, EnterAll(gate, 1, 1));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, EnterAll(gate, 1));
        for (var i = 0; i < 3; i++) Answer(gate, 1, Accepted, TimeSpan.Zero);
        Assert.Equal(Connections - 4, EnterAll(gate, 1, Connections - 4));
    }

    [Fact]
    public void Those_that_never_went_make_no_silence()
    {
        var gate = With(new DomainGate([], 4, clock), 1);
        for (var i = 0; i < 50; i++) Pass(gate, 1, TimeSpan.FromMilliseconds(10));
        Assert.Equal(4, EnterAll(gate, 1, 4));
        for (var i = 0; i < 3; i++) Answer(gate, 1, null, TimeSpan.Zero);
        // One waits; of the others it is not known yet that they are not answered.
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, EnterAll(gate, 1));
    }

    [Fact]
    public void Asking_for_less_halves_what_is_under_way_and_acceptances_win_it_back()
    {
        var gate = With(Gate(), 1);
        for (var i = 0; i < 10; i++) Pass(gate, 1, TimeSpan.FromMilliseconds(10));
        EnterAll(gate, 1, 8);
        Answer(gate, 1, SlowDown, TimeSpan.FromMilliseconds(10));
        // What went before says nothing new.
        for (var i = 0; i < 3; i++) Answer(gate, 1, SlowDown, TimeSpan.Zero);
        Assert.Equal(0, EnterAll(gate, 1));
        for (var i = 0; i < 4; i++) Answer(gate, 1, SlowDown, TimeSpan.Zero);
        Assert.Equal(4, EnterAll(gate, 1));

        while (underWay.Count > 0) Answer(gate, 1, Accepted, TimeSpan.FromMilliseconds(10));
        Assert.Equal(4, EnterAll(gate, 1));
        while (underWay.Count > 0) Answer(gate, 1, Accepted, TimeSpan.FromMilliseconds(10));
        Assert.Equal(5, EnterAll(gate, 1));
        while (underWay.Count > 0) Answer(gate, 1, Accepted, TimeSpan.FromMilliseconds(10));
        for (var i = 0; i < 200; i++) Pass(gate, 1, TimeSpan.FromMilliseconds(10));
        Assert.Equal(Connections, EnterAll(gate, 1, Connections));
    }

    [Fact]
    public void Asking_for_less_without_accepting_anything_pauses_ever_longer_up_to_a_minute()
    {
        var gate = With(Gate(), 1);
        Pass(gate, 1, TimeSpan.FromMilliseconds(10));
        Pass(gate, 1, TimeSpan.FromMilliseconds(10), SlowDown);
        Assert.Null(gate.Notice);
        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60 })
        {
            Pass(gate, 1, TimeSpan.FromMilliseconds(10), SlowDown);
            Assert.Equal($"example1.org (next try {clock.GetLocalNow().AddSeconds(seconds):HH:mm:ss}) asks for less at a time.", gate.Notice);
            clock.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Assert.Equal(0, EnterAll(gate, 1, 1));
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }
        Pass(gate, 1, TimeSpan.FromMilliseconds(10));
        Pass(gate, 1, TimeSpan.FromMilliseconds(10), SlowDown);
        Assert.Null(gate.Notice);
    }

    [Fact]
    public void Settings_limit_connections_and_rate_by_name_and_for_all_others()
    {
        var gate = Gate(
            new DomainOptions { Name = "example1.org", Connections = 2 },
            new DomainOptions { MessagesPerMinute = 30 });
        With(gate, 1, 2);
        for (var i = 0; i < 5; i++) Pass(gate, 1, TimeSpan.FromMilliseconds(10));
        Assert.Equal(2, EnterAll(gate, 1));

        Assert.Equal(1, EnterAll(gate, 2));
        Answer(gate, 2, Accepted, TimeSpan.FromMilliseconds(10));
        clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(0, EnterAll(gate, 2));
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(1, EnterAll(gate, 2));
    }

    [Fact]
    public void A_wait_that_the_settings_ask_for_is_not_one_that_a_domain_asked_for()
    {
        var gate = Gate(new DomainOptions { Name = "example1.org", MessagesPerMinute = 4 });
        With(gate, 1, 2);
        Pass(gate, 2, TimeSpan.FromMilliseconds(10), SlowDown);
        Pass(gate, 2, TimeSpan.FromMilliseconds(10), SlowDown);
        Assert.InRange(gate.PausedFor()!.Value.TotalSeconds, 0.9, 1);
        Pass(gate, 1, TimeSpan.FromMilliseconds(10));
        Assert.Null(gate.PausedFor());
    }

    [Fact]
    public void Rooms_tell_what_may_be_claimed()
    {
        var gate = Gate();
        Assert.Equal(8, gate.Rooms().Of(1));
        With(gate, 1, 2);
        Assert.Equal(7, gate.Rooms().Of(1));
        for (var i = 0; i < 200; i++) Pass(gate, 2, TimeSpan.FromMilliseconds(10));
        Assert.Equal(int.MaxValue, gate.Rooms().Of(2));

        // Two are what a domain can use that gets one at a time and takes five seconds.
        for (var i = 0; i < 2; i++) Pass(gate, 1, TimeSpan.FromSeconds(5), SlowDown);
        Assert.Equal(2 - 1, gate.Rooms().Of(1));
        for (var i = 0; i < 2; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            Pass(gate, 1, TimeSpan.FromSeconds(5), SlowDown);
        }
        Assert.Equal(0, gate.Rooms().Of(1));
    }

    [Fact]
    public void A_place_that_grew_old_before_it_was_used_is_exchanged_for_the_next_one()
    {
        var gate = With(Gate(new DomainOptions { MessagesPerSecond = 10 }), 1);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(1, EnterAll(gate, 1));
            clock.Advance(TimeSpan.FromMilliseconds(100));
        }
        // The last two are fresh enough.
        var entered = underWay.Select(one => one.Entered).ToArray();
        Assert.Equal([0, 100, 0, 0], Renew());
        Assert.Equal([0, 100, 0, 0], Renew());
        clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(0, EnterAll(gate, 1));
        Assert.Equal([0, 0, 100, 0], Renew());

        double[] Renew() => [.. underWay.Select((one, i) => gate.Renew(one.Domain, ref entered[i])!.Value.TotalMilliseconds)];
    }

    [Fact]
    public void A_place_that_grew_old_is_given_up_when_the_next_one_is_far()
    {
        var gate = With(Gate(new DomainOptions { MessagesPerMinute = 20 }), 1);
        Assert.Equal(1, EnterAll(gate, 1));
        var entered = underWay[0].Entered;
        clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(TimeSpan.Zero, gate.Renew(underWay[0].Domain, ref entered));
        clock.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal(1, EnterAll(gate, 1));
        Assert.Null(gate.Renew(underWay[0].Domain, ref entered));
    }

    [Fact]
    public void Who_waits_for_room_is_told()
    {
        var gate = Gate();
        var told = 0;
        gate.Opened += () => told++;
        EnterAll(gate, 1);
        gate.Add(Delivery(1));
        Answer(gate, 1, Accepted, TimeSpan.FromMilliseconds(10));
        Assert.Equal(1, told);
    }

    private DomainGate Gate(params DomainOptions[] options) => new(options, Connections, clock);

    /// <summary>Lets as many go as may.</summary>
    private int EnterAll(DomainGate gate, int domain, int atMost = 100)
    {
        var count = 0;
        while (count < atMost)
        {
            var pace = gate.Add(Delivery(domain));
            if (!gate.TryEnter(pace, yields: false, out var entered))
            {
                gate.Remove(domain, pace, 1);
                break;
            }
            underWay.Add((pace, entered));
            count++;
        }
        return count;
    }

    private void Answer(DomainGate gate, int domain, SendOutcome? outcome, TimeSpan after)
    {
        clock.Advance(after);
        var at = underWay.FindIndex(one => one.Domain.Name == $"example{domain}.org");
        gate.Leave(domain, underWay[at].Domain, underWay[at].Entered, outcome);
        underWay.RemoveAt(at);
    }

    /// <summary>Something of the domain is always ready, so that it is not forgotten.</summary>
    private static DomainGate With(DomainGate gate, params int[] domains)
    {
        foreach (var domain in domains) gate.Add(Delivery(domain));
        return gate;
    }

    private void Pass(DomainGate gate, int domain, TimeSpan took, SendOutcome? outcome = null)
    {
        Assert.Equal(1, EnterAll(gate, domain, 1));
        Answer(gate, domain, outcome ?? Accepted, took);
    }

    private static Delivery Delivery(int domain)
    {
        Assert.True(EmailAddress.TryParse($"reader@example{domain}.org", out var address));
        return new Delivery(new DeliveryId(1, 1), 1, 0, null, new Subscriber(1, address, null, new Dictionary<string, string>(), SubscriberStatus.Active, []), 0, domain);
    }
}
