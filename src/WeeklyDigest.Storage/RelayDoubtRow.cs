using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Storage;

/// <summary>A row of the query RelayDoubts.</summary>
internal sealed class RelayDoubtRow
{
    public required string Relay { get; init; }
    public long Refused { get; init; }
    public long Pardoned { get; init; }
    public string? Reply { get; init; }

    public RelayDoubt ToDoubt() => new(Relay, Refused, Pardoned == 1, Reply);
}

/// <summary>A row of the query Refusals.</summary>
internal sealed class RefusalRow
{
    public required string Relay { get; init; }
    public string? Reply { get; init; }
    public string? Refusal { get; init; }

    public RelayRefusal ToRefusal() => new(Relay, Reply ?? "", Refusal != "mailbox", Refusal == "other");
}

/// <summary>A row of the query DoubtedRows.</summary>
internal sealed class DoubtedRow
{
    public long MailingId { get; init; }
    public long SubscriberId { get; init; }
    public long Stamp { get; init; }

    public DeliveryId Id => new(MailingId, SubscriberId);
}
