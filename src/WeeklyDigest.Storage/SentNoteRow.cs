using WeeklyDigest.Deliveries;

namespace WeeklyDigest.Storage;

/// <summary>A row of the query SentNotes.</summary>
internal sealed class SentNoteRow
{
    public required string Owner { get; init; }
    public long Sent { get; init; }
    public long Since { get; init; }
    public long NotedAt { get; init; }

    /// <summary>The row as the pipeline sees it.</summary>
    public SentNote ToNote() => new(Owner, Sent, Codes.Time(Since), Codes.Time(NotedAt));
}
