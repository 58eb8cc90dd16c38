using WeeklyDigest.Publishing;

namespace WeeklyDigest.Storage;

/// <summary>The row of the query Schedule.</summary>
internal sealed class ScheduleRow
{
    public required string Cron { get; init; }
    public required string TimeZone { get; init; }
    public long IsOn { get; init; }
    public long Since { get; init; }
    public required string Configured { get; init; }

    /// <summary>The row as the pipeline sees it.</summary>
    public Schedule ToSchedule() => new(Cron, TimeZone, IsOn == 1, Codes.Time(Since)) { IsTold = IsOn != 1 || Configured != ScheduleWords.Configured(Cron, TimeZone) };
}

/// <summary>A row of the queries about occurrences.</summary>
internal sealed class OccurrenceRow
{
    public long DueAt { get; init; }
    public required string State { get; init; }
    public string? Issue { get; init; }
    public string? Note { get; init; }

    /// <summary>The row as the pipeline sees it.</summary>
    public Occurrence ToOccurrence() => new(Codes.Time(DueAt), Codes.State<OccurrenceState>(State), Issue, Note);
}

/// <summary>What both kinds of database write.</summary>
internal static class ScheduleWords
{
    /// <summary>Why a time that had come was taken back.</summary>
    public const string TakenBack = "The schedule was changed before an issue was chosen.";

    /// <summary>The settings in one text, to find out whether they changed.</summary>
    public static string Configured(string cron, string timeZone) => $"{cron} {timeZone}";
}
