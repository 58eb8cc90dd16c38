namespace WeeklyDigest.Deliveries;

/// <summary>What can happen to a delivery.</summary>
public enum DeliveryEvent
{
    /// <summary>A sender takes it.</summary>
    Claim,

    /// <summary>The sender gives it back unsent, or died before handing it over.</summary>
    Release,

    /// <summary>It is due and may not go now: its domain has no room. Nothing was tried.</summary>
    Postpone,

    /// <summary>The subscriber left before anything was sent.</summary>
    Leave,

    /// <summary>It waited too long without ever being tried.</summary>
    GiveUp,

    /// <summary>The sender commits the mark before DATA, or once more when it has grown old before the message could leave.</summary>
    Begin,

    /// <summary>The relay accepted it.</summary>
    Accept,

    /// <summary>The relay said "later".</summary>
    Defer,

    /// <summary>The relay refused it, or attempts ran out.</summary>
    Reject,

    /// <summary>The answer was lost, or the sender died after handing it over.</summary>
    LoseTrack,

    /// <summary>The editor decides that an uncertain delivery is to be sent again.</summary>
    Resend,

    /// <summary>The mailing is cancelled, or the subscriber left, before one that was uncertain, and is to be sent again, was: the copy before may have arrived.</summary>
    Abandon,

    /// <summary>The editor decides that an uncertain delivery arrived.</summary>
    Confirm,

    /// <summary>The editor wants a failed delivery tried again.</summary>
    Retry,

    /// <summary>The subscriber had not left: a relay that refuses everybody had said that there is no such address.</summary>
    Readmit,
}

/// <summary>The life of a delivery as a table: state and event give the next state; what is not in the table cannot happen.</summary>
public static class DeliveryTransitions
{
    private static readonly Dictionary<(DeliveryState, DeliveryEvent), DeliveryState> Table = new()
    {
        [(DeliveryState.Pending, DeliveryEvent.Claim)] = DeliveryState.Claimed,
        [(DeliveryState.Pending, DeliveryEvent.Leave)] = DeliveryState.Suppressed,
        [(DeliveryState.Pending, DeliveryEvent.GiveUp)] = DeliveryState.Failed,
        [(DeliveryState.Pending, DeliveryEvent.Abandon)] = DeliveryState.Uncertain,
        [(DeliveryState.Deferred, DeliveryEvent.Claim)] = DeliveryState.Claimed,
        [(DeliveryState.Deferred, DeliveryEvent.Postpone)] = DeliveryState.Deferred,
        [(DeliveryState.Deferred, DeliveryEvent.Leave)] = DeliveryState.Suppressed,
        [(DeliveryState.Deferred, DeliveryEvent.Abandon)] = DeliveryState.Uncertain,
        [(DeliveryState.Claimed, DeliveryEvent.Release)] = DeliveryState.Pending,
        [(DeliveryState.Claimed, DeliveryEvent.Leave)] = DeliveryState.Suppressed,
        [(DeliveryState.Claimed, DeliveryEvent.Abandon)] = DeliveryState.Uncertain,
        [(DeliveryState.Claimed, DeliveryEvent.Reject)] = DeliveryState.Failed,
        [(DeliveryState.Claimed, DeliveryEvent.Begin)] = DeliveryState.Sending,
        [(DeliveryState.Sending, DeliveryEvent.Release)] = DeliveryState.Pending,
        // Only by its sender, which knows that the message has not left: whoever else sees the row leaves it alone.
        [(DeliveryState.Sending, DeliveryEvent.Leave)] = DeliveryState.Suppressed,
        [(DeliveryState.Sending, DeliveryEvent.Abandon)] = DeliveryState.Uncertain,
        [(DeliveryState.Sending, DeliveryEvent.Begin)] = DeliveryState.Sending,
        [(DeliveryState.Sending, DeliveryEvent.Accept)] = DeliveryState.Sent,
        [(DeliveryState.Sending, DeliveryEvent.Defer)] = DeliveryState.Deferred,
        [(DeliveryState.Sending, DeliveryEvent.Reject)] = DeliveryState.Failed,
        [(DeliveryState.Sending, DeliveryEvent.LoseTrack)] = DeliveryState.Uncertain,
        // The answer came after all: whoever waited for it had been given up.
        [(DeliveryState.Uncertain, DeliveryEvent.Accept)] = DeliveryState.Sent,
        [(DeliveryState.Uncertain, DeliveryEvent.Reject)] = DeliveryState.Failed,
        [(DeliveryState.Uncertain, DeliveryEvent.Resend)] = DeliveryState.Pending,
        [(DeliveryState.Uncertain, DeliveryEvent.Confirm)] = DeliveryState.Sent,
        [(DeliveryState.Failed, DeliveryEvent.Retry)] = DeliveryState.Pending,
        [(DeliveryState.Suppressed, DeliveryEvent.Readmit)] = DeliveryState.Pending,
    };

    /// <summary>The state after an event.</summary>
    /// <exception cref="InvalidOperationException">The event cannot happen in this state; the message names those that can.</exception>
    public static DeliveryState Next(DeliveryState state, DeliveryEvent happening)
        => Table.TryGetValue((state, happening), out var next)
            ? next
            : throw new InvalidOperationException($"A {state} delivery cannot {happening}; it can: {string.Join(", ", Possible(state))}.");

    /// <summary>The events that can happen in a state; none for a final one.</summary>
    public static IReadOnlyList<DeliveryEvent> Possible(DeliveryState state)
        => [.. Table.Keys.Where(key => key.Item1 == state).Select(key => key.Item2)];

    /// <summary>The states an event can happen in.</summary>
    public static IReadOnlyList<DeliveryState> Before(DeliveryEvent happening)
        => [.. Table.Keys.Where(key => key.Item2 == happening).Select(key => key.Item1)];
}
