using WeeklyDigest.Deliveries;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage;

/// <summary>A row of the query Mailings.</summary>
internal sealed class MailingRow
{
    public long Id { get; init; }
    public required string Issue { get; init; }
    public required string State { get; init; }
    public string? StateReason { get; init; }
    public required string ContentHash { get; init; }
    public string? IssueHash { get; init; }
    public long CreatedAt { get; init; }
    public long? ScheduledAt { get; init; }
    public long? StartedAt { get; init; }
    public long? FinishedAt { get; init; }
    public long? ResumedAt { get; init; }
    public string? Lists { get; init; }

    /// <summary>The row as a mailing.</summary>
    public Mailing ToMailing() => new(
        Id,
        IssueSlug.TryParse(Issue, out var slug) ? slug : throw new StorageException($"The database holds '{Issue}', which is no issue."),
        Codes.State<MailingState>(State),
        StateReason,
        Codes.Lists(Lists),
        ContentHash,
        Codes.Time(CreatedAt),
        Codes.Time(ScheduledAt),
        Codes.Time(StartedAt),
        Codes.Time(FinishedAt)) { ResumedAt = Codes.Time(ResumedAt), IssueHash = IssueHash };
}

/// <summary>A row of the query Deliveries.</summary>
internal sealed class DeliveryRow
{
    public required string Address { get; init; }
    public required string State { get; init; }
    public int Attempts { get; init; }
    public string? Reply { get; init; }
    public long MailingId { get; init; }
    public long SubscriberId { get; init; }
    public long UpdatedAt { get; init; }
    public long? NextAttemptAt { get; init; }
    public int Resent { get; init; }

    /// <summary>The row as a report's line.</summary>
    public DeliveryReport ToReport()
        => new(Address, Codes.State<DeliveryState>(State), Attempts, Reply, MailingId, SubscriberId, Codes.Time(UpdatedAt), Codes.Time(NextAttemptAt), Resent);
}

/// <summary>A row of the query Sending.</summary>
internal sealed class BegunDeliveryRow
{
    public long MailingId { get; init; }
    public long SubscriberId { get; init; }
    public long Stamp { get; init; }
    public int Attempts { get; init; }
    public long? FirstAttemptAt { get; init; }
    public int Resent { get; init; }

    /// <summary>The row as a delivery.</summary>
    public BegunDelivery ToDelivery() => new(new DeliveryId(MailingId, SubscriberId), Stamp, Attempts, Codes.Time(FirstAttemptAt), Resent);
}

/// <summary>The row of the query Rest.</summary>
internal sealed class RestRow
{
    public bool Pending { get; init; }
    public bool Held { get; init; }
    public long? NextAttemptAt { get; init; }
    public long? LastAttemptAt { get; init; }
    public bool Stopped { get; init; }

    /// <summary>The row as the pipeline sees it.</summary>
    public MailingRest ToRest() => new(Pending, Held, Codes.Time(NextAttemptAt), Stopped) { LastAttemptAt = Codes.Time(LastAttemptAt) };
}

/// <summary>A row of the query OpenRows.</summary>
internal sealed class OpenRow
{
    public long DomainId { get; init; }
    public long Pending { get; init; }
    public long Held { get; init; }
    public long Deferred { get; init; }

    /// <summary>The row as the pipeline sees it.</summary>
    public DomainRows ToRows() => new(DomainId, Pending, Held, Deferred);
}

/// <summary>A row of the query Alarms.</summary>
internal sealed class AlarmRow
{
    public required string Domain { get; init; }
    public long DomainId { get; init; }
    public long Refusals { get; init; }
    public long InARow { get; init; }
    public required string Reply { get; init; }
    public long FirstAt { get; init; }
    public long LastAt { get; init; }
    public long? StoppedAt { get; init; }

    /// <summary>The row as an alarm.</summary>
    public DomainAlarm ToAlarm() => new(DomainId, Domain, Refusals, InARow, Reply, Codes.Time(FirstAt), Codes.Time(LastAt), Codes.Time(StoppedAt), Waiting: 0);

    /// <summary>The alarms with the number of rows that wait.</summary>
    public static IReadOnlyList<DomainAlarm> Count(IEnumerable<DomainAlarm> alarms, IEnumerable<(long Domain, long Rows)> waiting)
    {
        var rows = waiting.ToDictionary(domain => domain.Domain, domain => domain.Rows);
        return [.. alarms.Select(alarm => alarm with { Waiting = rows.GetValueOrDefault(alarm.DomainId) })];
    }
}
