using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

public sealed class ReadyQueueTests : IDisposable
{
    private readonly ManualClock clock = new();
    private readonly DomainGate gate;
    private readonly ReadyQueue queue;

    public ReadyQueueTests()
    {
        gate = new DomainGate([new DomainOptions { Name = "closed.example", MessagesPerMinute = 1 }, new DomainOptions { Name = "narrow.example", Connections = 1 }], 16, clock);
        queue = new ReadyQueue(gate, clock);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => queue.Dispose();

    [Fact]
    public void Domains_take_turns()
    {
        queue.Add([At("a.example", 1), At("a.example", 2), At("a.example", 3), At("b.example", 4), At("c.example", 5), At("c.example", 6)]);
        Assert.Equal([1L, 4, 5, 2, 6, 3], TakeAll());
        Assert.Equal((0, false), (queue.Count, queue.WaitAsync(Cancel).IsCompleted));
    }

    [Fact]
    public void Who_may_not_go_keeps_nobody_waiting()
    {
        queue.Add([At("closed.example", 1), At("closed.example", 2), At("a.example", 3)]);
        Assert.Equal([1L, 3], TakeAll());
        Assert.Equal((1, false), (queue.Count, queue.WaitAsync(Cancel).IsCompleted));
        Assert.Equal((0, 1), queue.Split());
        Assert.Equal(2, Assert.Single(queue.TakeSurplus()).Id.SubscriberId);
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void What_is_of_domains_that_are_held_back_is_counted_apart()
    {
        queue.Add([.. Enumerable.Range(1, 3).Select(id => At("narrow.example", id)), At("closed.example", 4), At("closed.example", 5)]);
        Assert.Equal((0, 5), queue.Split());
        Assert.Equal([1L, 4], TakeAll());
        Assert.Equal((0, 3), queue.Split());
        queue.Add([At("a.example", 6)]);
        Assert.Equal((1, 3), queue.Split());
    }

    [Fact]
    public void A_slow_domain_gets_more_than_one_connection_in_sixteen_only_when_nobody_else_has_something_to_send()
    {
        for (var i = 0; i < 10; i++) Answer("quick.example", TimeSpan.FromMilliseconds(10));
        Answer("slow.example", TimeSpan.FromSeconds(2));
        queue.Add([.. Enumerable.Range(101, 6).Select(id => At("slow.example", id)), .. Enumerable.Range(201, 3).Select(id => At("quick.example", id))]);
        Assert.Equal([101L, 201, 202, 203, 102, 103, 104], TakeAll());
    }

    [Fact]
    public async Task What_a_relay_cannot_carry_is_left_to_others_and_keeps_nobody_waiting()
    {
        queue.Add([At("a.example", 1, "jürgen"), At("a.example", 2), At("a.example", 3, "josé"), At("b.example", 4)]);
        Assert.Equal([2L, 4], TakeAll(carriesUtf8: false));
        Assert.Equal((2, 0, 2, false), (queue.Split().Free, queue.Split(utf8Waits: true).Free, queue.Count, queue.HasAny(carriesUtf8: false)));
        Assert.True(await queue.WaitAsync(Cancel));
        var ordinary = queue.WaitAsync(Cancel, carriesUtf8: false);
        Assert.False(ordinary.IsCompleted);
        queue.Add([At("b.example", 7)]);
        Assert.True(await ordinary);
        Assert.Equal([7L], TakeAll(carriesUtf8: false));
        Assert.Equal([1L, 3], TakeAll());
    }

    [Fact]
    public void What_waits_for_another_relay_takes_no_room_of_its_domain_and_is_not_given_back()
    {
        queue.Add([.. Enumerable.Range(1, 5).Select(id => At("narrow.example", id, "jürgen"))]);
        Assert.Equal((0, 2), (Room(utf8Waits: false), Room(utf8Waits: true)));
        Assert.Empty(queue.TakeSurplus(utf8Waits: true));
        Assert.Equal(3, queue.TakeSurplus().Count);
        Assert.Equal(2, TakeAllOut());
        int Room(bool utf8Waits) => Assert.Single(gate.Rooms(utf8Waits).Known).Value;
        int TakeAllOut() => queue.TakeAll().Count;
    }

    [Fact]
    public void A_relay_that_carries_everything_takes_them_in_turn()
    {
        queue.Add([At("c.example", 5, "jürgen"), At("c.example", 6)]);
        Assert.Equal([5L, 6], TakeAll());
    }

    [Fact]
    public void What_is_of_a_stopped_domain_can_be_taken_out()
    {
        queue.Add([At("a.example", 1), At("b.example", 2), At("a.example", 3)]);
        Assert.Equal([1L, 3], queue.TakeDomains(new HashSet<long> { "a.example".Length + 'a' }).Select(row => row.Id.SubscriberId));
        Assert.Equal(2, Assert.Single(queue.TakeAll()).Id.SubscriberId);
        Assert.Empty(gate.Rooms().Known);
    }

    [Fact]
    public async Task Who_waits_is_woken_by_the_clock_when_a_domain_may_be_sent_to_again()
    {
        queue.Add([At("closed.example", 1), At("closed.example", 2)]);
        Assert.Equal([1L], TakeAll());
        var waiting = queue.WaitAsync(Cancel);
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(waiting.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await waiting);
        Assert.Equal([2L], TakeAll());
    }

    [Fact]
    public async Task Who_waits_is_woken_by_an_answer_that_makes_room_and_by_a_claim()
    {
        queue.Add([At("narrow.example", 1), At("narrow.example", 2)]);
        Assert.True(queue.TryTake(out var first));
        var waiting = queue.WaitAsync(Cancel);
        Assert.False(waiting.IsCompleted);
        gate.Leave(first.Delivery.DomainId, first.Domain, first.Entered, new SendOutcome(SendResult.Accepted, "250 ok"));
        Assert.True(await waiting);
        Assert.Equal([2L], TakeAll());
        waiting = queue.WaitAsync(Cancel);
        queue.Add([At("a.example", 3)]);
        Assert.True(await waiting);
    }

    [Fact]
    public async Task Nobody_waits_for_a_queue_that_has_ended()
    {
        var waiting = queue.WaitAsync(Cancel);
        queue.End();
        Assert.False(await waiting);
        Assert.False(await queue.WaitAsync(Cancel));
    }

    private void Answer(string domain, TimeSpan after)
    {
        queue.Add([At(domain, 1)]);
        Assert.True(queue.TryTake(out var taken));
        clock.Advance(after);
        gate.Leave(taken.Delivery.DomainId, taken.Domain, taken.Entered, new SendOutcome(SendResult.Accepted, "250 ok"));
    }

    private List<long> TakeAll(bool carriesUtf8 = true)
    {
        var taken = new List<long>();
        while (queue.TryTake(out var one, carriesUtf8)) taken.Add(one.Delivery.Id.SubscriberId);
        return taken;
    }

    private static Delivery At(string domain, long subscriber, string name = "reader")
    {
        Assert.True(EmailAddress.TryParse($"{name}@{domain}", out var address));
        var reader = new Subscriber(subscriber, address, null, new Dictionary<string, string>(), SubscriberStatus.Active, []);
        return new Delivery(new DeliveryId(1, subscriber), 1, 0, null, reader, 0, domain.Length + domain[0]);
    }
}
