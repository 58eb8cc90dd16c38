using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Feedback;

/// <summary>What an unsubscribe link leads to.</summary>
public enum UnsubscribeResult
{
    /// <summary>The token is not one of ours, or its subscriber does not exist any more. Nothing changed.</summary>
    UnknownLink,

    /// <summary>A preview's link: it shows the page and changes nothing.</summary>
    PreviewLink,

    /// <summary>The link is good: on looking, the subscriber can leave through it; on leaving, the subscriber has left (again, perhaps).</summary>
    Subscriber,
}

/// <summary>What <c>/unsubscribe/{token}</c> does. GET only looks: link scanners open every link. POST leaves (RFC 8058).</summary>
/// <param name="tokens">Reads the tokens.</param>
/// <param name="subscribers">The subscribers.</param>
/// <param name="noteUnsubscribed">Notes on the delivery that its recipient left through its link.</param>
/// <param name="time">The clock.</param>
public sealed class Unsubscribe(
    LinkTokens tokens,
    ISubscriberStore subscribers,
    Func<DeliveryId, DateTimeOffset, CancellationToken, Task> noteUnsubscribed,
    TimeProvider time)
{
    private const string Source = "unsubscribe link";

    /// <summary>What the link leads to; changes nothing.</summary>
    /// <returns>The kind of link, and the subscriber when it is one's.</returns>
    public async Task<(UnsubscribeResult Result, Subscriber? Subscriber)> LookAsync(string token, CancellationToken cancel)
    {
        if (!tokens.TryReadUnsubscribe(token, out var delivery)) return (UnsubscribeResult.UnknownLink, null);
        if (delivery is null) return (UnsubscribeResult.PreviewLink, null);
        var subscriber = await subscribers.FindAsync(delivery.Value.SubscriberId, cancel);
        return (subscriber is null ? UnsubscribeResult.UnknownLink : UnsubscribeResult.Subscriber, subscriber);
    }

    /// <summary>Ends the subscription; from its commit on nothing more is sent. Idempotent: done twice it is done.</summary>
    public async Task<UnsubscribeResult> LeaveAsync(string token, CancellationToken cancel)
    {
        if (!tokens.TryReadUnsubscribe(token, out var delivery)) return UnsubscribeResult.UnknownLink;
        if (delivery is null) return UnsubscribeResult.PreviewLink;
        if (!await subscribers.UnsubscribeAsync(delivery.Value.SubscriberId, Source, cancel)) return UnsubscribeResult.UnknownLink;
        // Dying here: the subscriber has left, which is what counts; only the issue's own count lacks one.
        await noteUnsubscribed(delivery.Value, time.GetUtcNow(), cancel);
        return UnsubscribeResult.Subscriber;
    }
}
