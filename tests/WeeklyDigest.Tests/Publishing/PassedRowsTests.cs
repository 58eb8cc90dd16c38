using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Tests.Publishing;

/// <summary>Where claims return to.</summary>
public sealed class PassedRowsTests
{
    private static readonly HashSet<long> None = [];
    private readonly PassedRows passed = new();

    [Fact]
    public void Begins_at_the_first_row_that_was_passed_by()
    {
        passed.Add(domain: 1, place: 40);
        passed.Add(domain: 1, place: 90);
        Assert.Equal(40, passed.Next(Room(1)));
        passed.Add(domain: 1, place: 20);
        Assert.Equal(20, passed.Next(Room(1)));
    }

    [Fact]
    public void A_look_moves_the_places_of_those_that_it_walked_through_and_no_others()
    {
        foreach (var (domain, place) in new[] { (1, 10L), (2, 20L), (3, 30L), (4, 100L) }) passed.Add(domain, place);
        // From the second one on: all of the third was taken, and the rest of the second is further on.
        passed.Note(20, Look(next: 60, (2, 50)), isAhead: false);
        Assert.Equal([10L, 50, 60, 100], Places());
    }

    [Fact]
    public void Who_has_nothing_left_is_forgotten_at_the_end_and_where_the_round_is()
    {
        foreach (var (domain, place) in new[] { (1, 10L), (2, 20L), (3, 30L), (4, 40L) }) passed.Add(domain, place);
        passed.Note(30, Look(next: 0, (4, 70)), isAhead: false);
        Assert.Equal([10L, 20, null, 70], Places());
        passed.Note(20, Look(next: 60), isAhead: true);
        Assert.Equal([10L, null, null, 70], Places());
    }

    [Fact]
    public void A_look_that_found_enough_among_the_due_rows_tells_nothing()
    {
        passed.Add(1, 10);
        passed.Note(0, Look(next: 0) with { Deliveries = [new Delivery(new DeliveryId(1, 5), 1, 1, null, Somebody(), 0, 1)], Looked = 0 }, isAhead: true);
        Assert.Equal(10, passed.Next(Room(1)));
    }

    [Fact]
    public void They_take_turns()
    {
        foreach (var (domain, place) in new[] { (1, 10L), (2, 20L), (3, 30L) }) passed.Add(domain, place);
        Assert.Equal([10L, 20, 10, 20, 30], new[] { Room(1, 2), Room(1, 2), Room(1, 2), Room(1, 2), Room(1, 2, 3) }.Select(passed.Next).Select(place => place!.Value));
        Assert.Null(passed.Next(Room(4)));
    }

    [Fact]
    public void Those_with_a_limit_are_told_from_those_that_have_none_any_more()
    {
        for (var domain = 1; domain <= 5; domain++) passed.Add(domain, domain * 10);
        var rooms = new DomainRooms(8, new Dictionary<long, int> { [1] = 0, [2] = 3, [3] = int.MaxValue, [4] = int.MaxValue });
        Assert.Equal([(2L, 3), (5L, 8)], passed.Limited(rooms, None).Select(entry => (entry.Key, entry.Value)).Order());
        Assert.Equal((30L, 40L), (passed.FirstUnlimited(rooms, None), passed.FirstUnlimited(rooms, new HashSet<long> { 3 })));
        Assert.Equal([5L], passed.Limited(rooms, new HashSet<long> { 2 }).Keys);
    }

    [Fact]
    public void A_thousand_domains_are_kept_in_mind()
    {
        for (var domain = 1; domain <= 3000; domain++) passed.Add(domain, domain);
        Assert.Equal(1000, passed.Limited(new DomainRooms(1, new Dictionary<long, int>()), None).Count);
        passed.Note(0, Look(next: 0), isAhead: true);
        Assert.False(passed.Any);
        passed.Add(2000, 7);
        Assert.Equal(7, passed.Next(Room(2000)));
    }

    private List<long?> Places() => [.. Enumerable.Range(1, 4).Select(domain => passed.Next(Room(domain)))];

    private static Dictionary<long, int> Room(params long[] domains) => domains.ToDictionary(domain => domain, _ => 1);

    private static ClaimedRows Look(long next, params (long Domain, long Place)[] passedBy)
        => new([], next, passedBy.Length > 0, None, 10) { Passed = passedBy.ToDictionary(entry => entry.Domain, entry => entry.Place) };

    private static Subscriber Somebody() => new(5, EnginePlace.Address("r5@example.org"), null, new Dictionary<string, string>(), SubscriberStatus.Active, []);
}
