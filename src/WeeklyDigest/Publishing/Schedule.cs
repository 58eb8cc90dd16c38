namespace WeeklyDigest.Publishing;

/// <summary>When the newsletter goes out by itself, as the ledger has it.</summary>
/// <param name="Cron">Minute, hour, day of month, month, day of week.</param>
/// <param name="TimeZone">The zone these are in, by its IANA name.</param>
/// <param name="IsOn">Whether it sends at all.</param>
/// <param name="Since">When it was made like this; no time before this counts.</param>
public sealed record Schedule(string Cron, string TimeZone, bool IsOn, DateTimeOffset Since)
{
    /// <summary>Whether an editor gave it; else it is what the settings said when they were taken over.</summary>
    public bool IsTold { get; init; }
}

/// <summary>What became of a time of the schedule.</summary>
public enum OccurrenceState
{
    /// <summary>It has come; an issue is being chosen or published.</summary>
    Due,

    /// <summary>An issue was published, or none was ready. What becomes of the issue is its mailing's.</summary>
    Done,

    /// <summary>The issue could not be published.</summary>
    Refused,

    /// <summary>Nobody was there to take it up in time, or it was taken back.</summary>
    Missed,
}

/// <summary>A time of the schedule that has come. There is one for each time, whoever notices it, so that it sends once.</summary>
/// <param name="DueAt">The time.</param>
/// <param name="State">What became of it.</param>
/// <param name="Issue">The issue it stands for, once one was chosen; never another afterwards.</param>
/// <param name="Note">Why there is none, or why it was not sent; null when all went well.</param>
public sealed record Occurrence(DateTimeOffset DueAt, OccurrenceState State, string? Issue, string? Note);
