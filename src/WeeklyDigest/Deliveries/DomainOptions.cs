namespace WeeklyDigest.Deliveries;

/// <summary>How much a receiving domain gets at most, from this process. Bound from <c>Delivery:Domains</c>.</summary>
public sealed record DomainOptions
{
    /// <summary>Stands for every domain that has no entry of its own, each by itself.</summary>
    public const string AnyOther = "*";

    /// <summary>The domain, in lower case and in Unicode form, or <see cref="AnyOther"/>.</summary>
    public string Name { get; init; } = AnyOther;

    /// <summary>Connections that carry messages for it at once. 0 (default) to 1000; 0 is as many as there are.</summary>
    public int Connections { get; init; }

    /// <summary>Messages per second. 0.0001 to 1,000,000; 0 (default) is as fast as it goes.</summary>
    public double MessagesPerSecond { get; init; }

    /// <summary>Messages per minute; with both, the slower one holds. 0.0001 to 1,000,000; 0 (default) is as fast as it goes.</summary>
    public double MessagesPerMinute { get; init; }

    /// <summary>Time between two messages; zero is none.</summary>
    public TimeSpan Interval
        => TimeSpan.FromSeconds(Math.Max(MessagesPerSecond > 0 ? 1 / MessagesPerSecond : 0, MessagesPerMinute > 0 ? 60 / MessagesPerMinute : 0));
}
