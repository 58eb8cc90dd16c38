using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Tests.Deliveries;

public sealed class DeliveryTransitionsTests
{
    // Written out a second time, from the words of the promise: the table in the program must say the same and nothing more.
    private static readonly Dictionary<DeliveryState, Dictionary<DeliveryEvent, DeliveryState>> Allowed = new()
    {
        [DeliveryState.Pending] = new()
        {
            [DeliveryEvent.Claim] = DeliveryState.Claimed,
            [DeliveryEvent.Leave] = DeliveryState.Suppressed,
            [DeliveryEvent.GiveUp] = DeliveryState.Failed,
            [DeliveryEvent.Abandon] = DeliveryState.Uncertain,
        },
        [DeliveryState.Deferred] = new()
        {
            [DeliveryEvent.Claim] = DeliveryState.Claimed,
            [DeliveryEvent.Postpone] = DeliveryState.Deferred,
            [DeliveryEvent.Leave] = DeliveryState.Suppressed,
            [DeliveryEvent.Abandon] = DeliveryState.Uncertain,
        },
        [DeliveryState.Claimed] = new()
        {
            [DeliveryEvent.Release] = DeliveryState.Pending,
            [DeliveryEvent.Leave] = DeliveryState.Suppressed,
            [DeliveryEvent.Abandon] = DeliveryState.Uncertain,
            [DeliveryEvent.Reject] = DeliveryState.Failed,
            [DeliveryEvent.Begin] = DeliveryState.Sending,
        },
        [DeliveryState.Sending] = new()
        {
            [DeliveryEvent.Release] = DeliveryState.Pending,
            [DeliveryEvent.Leave] = DeliveryState.Suppressed,
            [DeliveryEvent.Abandon] = DeliveryState.Uncertain,
            [DeliveryEvent.Begin] = DeliveryState.Sending,
            [DeliveryEvent.Accept] = DeliveryState.Sent,
            [DeliveryEvent.Defer] = DeliveryState.Deferred,
            [DeliveryEvent.Reject] = DeliveryState.Failed,
            [DeliveryEvent.LoseTrack] = DeliveryState.Uncertain,
        },
        [DeliveryState.Uncertain] = new()
        {
            [DeliveryEvent.Accept] = DeliveryState.Sent,
            [DeliveryEvent.Reject] = DeliveryState.Failed,
            [DeliveryEvent.Resend] = DeliveryState.Pending,
            [DeliveryEvent.Confirm] = DeliveryState.Sent,
        },
        [DeliveryState.Failed] = new() { [DeliveryEvent.Retry] = DeliveryState.Pending },
        [DeliveryState.Sent] = [],
        [DeliveryState.Suppressed] = new() { [DeliveryEvent.Readmit] = DeliveryState.Pending },
    };

    [Fact]
    public void Every_pair_of_state_and_event_is_as_promised()
    {
        foreach (var state in Enum.GetValues<DeliveryState>())
        {
            foreach (var happening in Enum.GetValues<DeliveryEvent>())
            {
                if (Allowed[state].TryGetValue(happening, out var next)) Assert.Equal(next, DeliveryTransitions.Next(state, happening));
                else Assert.Throws<InvalidOperationException>(() => DeliveryTransitions.Next(state, happening));
            }
        }
    }

    [Fact]
    public void A_refusal_names_what_is_possible()
    {
        var failure = Assert.Throws<InvalidOperationException>(() => DeliveryTransitions.Next(DeliveryState.Uncertain, DeliveryEvent.Claim));
        Assert.Equal("A Uncertain delivery cannot Claim; it can: Accept, Reject, Resend, Confirm.", failure.Message);
    }

    [Fact]
    public void From_pending_every_state_can_be_reached()
    {
        var reached = new HashSet<DeliveryState> { DeliveryState.Pending };
        var open = new Stack<DeliveryState>(reached);
        while (open.TryPop(out var state))
        {
            foreach (var happening in DeliveryTransitions.Possible(state))
            {
                var next = DeliveryTransitions.Next(state, happening);
                if (reached.Add(next)) open.Push(next);
            }
        }

        Assert.Equal(Enum.GetValues<DeliveryState>().ToHashSet(), reached);
    }

    [Fact]
    public void Only_a_mark_leads_to_sending_and_only_an_answer_to_sent()
    {
        Assert.Equal([DeliveryState.Claimed, DeliveryState.Sending], DeliveryTransitions.Before(DeliveryEvent.Begin));
        Assert.Equal([DeliveryState.Sending, DeliveryState.Uncertain], DeliveryTransitions.Before(DeliveryEvent.Accept));
    }
}
