using WeeklyDigest.Issues;

namespace WeeklyDigest.Publishing;

/// <summary>What an editor does to a mailing, at the terminal or on the dashboard. It takes effect in every process that delivers the mailing.</summary>
/// <param name="Name">The editor's word for it.</param>
/// <param name="From">What a mailing is that it works on.</param>
/// <param name="To">What the mailing becomes.</param>
/// <param name="Reason">Why, for whom looks at it later; null when there is nothing to say.</param>
public sealed record EditorsChange(string Name, IReadOnlyList<MailingState> From, Func<Mailing, DateTimeOffset, MailingState> To, string? Reason)
{
    private const string ByTheEditor = "by the editor";

    /// <summary>Holds it; what is on the wire is finished.</summary>
    public static EditorsChange Pause { get; } = new("pause", [MailingState.Scheduled, MailingState.Sending], (_, _) => MailingState.Paused, ByTheEditor);

    /// <summary>Lets it go on, or wait for its time.</summary>
    public static EditorsChange Resume { get; } = new("resume", [MailingState.Paused], (mailing, now) => mailing.Resumed(now), null);

    /// <summary>Ends it for good.</summary>
    public static EditorsChange Cancel { get; } = new("cancel", [MailingState.Scheduled, MailingState.Sending, MailingState.Paused], (_, _) => MailingState.Cancelled, ByTheEditor);

    /// <summary>Why it was not done: the mailing has become something else since the editor looked at it.</summary>
    /// <param name="issue">Its issue.</param>
    /// <param name="now">What it is now.</param>
    public RefusedException Refusal(IssueSlug issue, MailingState now) => new(From.Contains(now)
        ? $"{issue} was changed by somebody else at this moment; try again."
        : $"{issue} is {Words(now)}; {Name} works on one that is {string.Join(" or ", From.Select(Words))}.");

    private static string Words(MailingState state) => state.ToString().ToLowerInvariant();
}
