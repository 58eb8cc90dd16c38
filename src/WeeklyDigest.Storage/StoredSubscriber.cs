using WeeklyDigest.Audience;

namespace WeeklyDigest.Storage;

/// <summary>A row of the queries SubscriberById, SubscriberByAddress, Subscribers and Members.</summary>
internal sealed class StoredSubscriber
{
    public long Id { get; init; }
    public required string Address { get; init; }
    public string? Name { get; init; }
    public required string Attributes { get; init; }
    public required string Status { get; init; }
    public string? Reason { get; init; }
    public string? Source { get; init; }
    public long? At { get; init; }
    public string? Lists { get; init; }

    /// <summary>The row as a subscriber.</summary>
    public Subscriber ToSubscriber() => With(Codes.Address(Address));

    /// <summary>The row as a subscriber; null when its address is none any more.</summary>
    /// <param name="onUnreadable">Told of that.</param>
    public Subscriber? ToSubscriber(Action<UnreadableSubscriber> onUnreadable)
    {
        if (EmailAddress.TryParse(Address, out var address, out var problem)) return With(address);
        onUnreadable(new UnreadableSubscriber(Address, problem, Codes.State<SubscriberStatus>(Status)));
        return null;
    }

    private Subscriber With(EmailAddress address) => new(
        Id,
        address,
        Name,
        AttributesJson.Read(Attributes),
        Codes.State<SubscriberStatus>(Status),
        Codes.Lists(Lists))
    {
        Suppression = Reason is null ? null : new Suppression(Reason, Source ?? "", Codes.Time(At ?? 0)),
    };
}

/// <summary>A row of the query SuppressionOf.</summary>
internal sealed class SuppressionRow
{
    public required string Reason { get; init; }
    public required string Source { get; init; }
    public long At { get; init; }

    /// <summary>The row as a suppression.</summary>
    public Suppression ToSuppression() => new(Reason, Source, Codes.Time(At));
}

/// <summary>A row of the query Lists.</summary>
internal sealed class ListRow
{
    public required string Name { get; init; }
    public long Active { get; init; }
    public long Total { get; init; }

    /// <summary>The row as the pipeline sees it.</summary>
    public ListSummary ToSummary() => new(Codes.List(Name), Active, Total);
}
