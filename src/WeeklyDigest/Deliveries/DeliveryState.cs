namespace WeeklyDigest.Deliveries;

/// <summary>Where a delivery stands. Every row is in exactly one state, so the states add up to the total.</summary>
public enum DeliveryState
{
    /// <summary>Waits for a sender.</summary>
    Pending,

    /// <summary>A sender holds it under a lease; nothing of it has gone out.</summary>
    Claimed,

    /// <summary>Committed before the message may leave. Whether it has left stands in the note of its sender; then only the relay knows whether it was taken.</summary>
    Sending,

    /// <summary>The relay said "later" (4xx), or could not be reached for this message; waits for its next attempt.</summary>
    Deferred,

    /// <summary>The relay accepted it (2xx after the final dot). Final.</summary>
    Sent,

    /// <summary>The relay refused it (5xx), or attempts ran out. Final unless retried by hand.</summary>
    Failed,

    /// <summary>The subscriber left between publishing and sending. Final.</summary>
    Suppressed,

    /// <summary>The connection or the process died after the message was handed over and before the answer was recorded. For the editor to decide.</summary>
    Uncertain,
}
