using WeeklyDigest.Audience;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Publishing;

/// <summary>Where a mailing stands.</summary>
public enum MailingState
{
    /// <summary>Published, waits for its time.</summary>
    Scheduled,

    /// <summary>Being delivered, or waiting for deferred deliveries.</summary>
    Sending,

    /// <summary>Held by the editor or by the program, which says why.</summary>
    Paused,

    /// <summary>Ended by the editor; what is not sent stays unsent.</summary>
    Cancelled,

    /// <summary>No delivery is pending, claimed, sending or deferred.</summary>
    Sent,
}

/// <summary>One sending of one issue; there is at most one per issue.</summary>
/// <param name="Id">The database's key.</param>
/// <param name="Issue">The issue.</param>
/// <param name="State">Where it stands.</param>
/// <param name="StateReason">Why it is paused, in the relay's or the editor's words; else null.</param>
/// <param name="Lists">The lists it was published to.</param>
/// <param name="ContentHash">Hash of the frozen content.</param>
/// <param name="CreatedAt">When it was published.</param>
/// <param name="ScheduledAt">When it may start; null: at once.</param>
/// <param name="StartedAt">When the first delivery was claimed, or null.</param>
/// <param name="FinishedAt">When the last delivery became final, or null.</param>
public sealed record Mailing(
    long Id,
    IssueSlug Issue,
    MailingState State,
    string? StateReason,
    IReadOnlyList<ListName> Lists,
    string ContentHash,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ScheduledAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt)
{
    /// <summary>When it was last put to sending after its publication (its time had come, or the editor resumed it), or null.</summary>
    public DateTimeOffset? ResumedAt { get; init; }

    /// <summary>Hash of the issue file it was made of (<see cref="Issues.Issue.Hash"/>); null: published before this was kept.</summary>
    public string? IssueHash { get; init; }

    /// <summary>
    /// Whether an issue is this one under another name: its file was renamed or copied, and publishing it would send everybody a second copy. One
    /// that was cancelled before it began reached nobody.
    /// </summary>
    public bool IsAlso(Issue issue) => IssueHash == issue.Hash && Issue != issue.Slug && !(State == MailingState.Cancelled && StartedAt is null);

    /// <summary>Whether it was ever put to sending. Until then nobody has its content in hand, and nobody has seen it.</summary>
    public bool HasBegun => ScheduledAt is null || StartedAt is not null || ResumedAt is not null;

    /// <summary>Whether nothing of it goes out any more, unless it is extended.</summary>
    public bool IsOver => State is MailingState.Sent or MailingState.Cancelled;

    /// <summary>Whether it can be given another time.</summary>
    public bool CanBeRescheduled => !HasBegun && State is (MailingState.Scheduled or MailingState.Paused);

    /// <summary>What it becomes when it is resumed: it goes on, or waits for its time if that is still to come.</summary>
    public MailingState Resumed(DateTimeOffset now) => StartedAt is null && ScheduledAt > now ? MailingState.Scheduled : MailingState.Sending;
}
