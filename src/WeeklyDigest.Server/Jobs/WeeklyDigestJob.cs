using System.ComponentModel;
using Hangfire;
using Hangfire.Server;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>The weekly job: sends the oldest issue that is ready and was not sent. Once it chose an issue it deals with no other, however often it is requeued.</summary>
/// <param name="edge">Where its exceptions end.</param>
/// <param name="sending">Sends.</param>
/// <param name="candidates">Chooses.</param>
/// <param name="mailings">The mailings.</param>
internal sealed class WeeklyDigestJob(JobEdge edge, IssueSending sending, Candidates candidates, IMailingStore mailings)
{
    /// <summary>Name of the recurring job.</summary>
    public const string Name = "weekly-digest";

    /// <summary>Runs the job.</summary>
    [AutomaticRetry(Attempts = 0), DisplayName(Name)]
    public Task<string> RunAsync(PerformContext? context, CancellationToken cancel) => edge.RunAsync(context, page => RunAsync(page, cancel), cancel);

    private async Task<string> RunAsync(JobPage page, CancellationToken cancel)
    {
        var slug = page.ChosenIssue;
        // Chosen by an earlier run of this job: its page says so anew.
        if (slug is not null) page.Choose(slug);
        else slug = await ChooseAsync(page, cancel);
        return slug is null ? page.Finish("Nothing to send: no issue is ready.") : await sending.SendAsync(page, slug, cancel);
    }

    private async Task<string?> ChooseAsync(JobPage page, CancellationToken cancel)
    {
        var all = await mailings.ListAsync(cancel);
        var slug = UnderWay(all, page.CreatedAt)?.Issue.Value ?? await candidates.NextAsync(all, page, cancel);
        if (slug is null && LastSent(all) is { } last)
        {
            page.Note("No other issue is ready.");
            slug = last.Issue.Value;
        }
        if (slug is not null) page.Choose(slug);
        return slug;
    }

    /// <summary>
    /// The mailing this trigger belongs to: one that is being sent or held, or one that was when the job was triggered. So a second click,
    /// or a second node, that comes to run when the first has finished means the same issue and not the next. One that has not begun, since its
    /// own time has not come, or passed, is no trigger's.
    /// </summary>
    internal static Mailing? UnderWay(IReadOnlyList<Mailing> mailings, DateTimeOffset triggeredAt) => mailings
        .Where(mailing => mailing.State switch
        {
            MailingState.Sending => true,
            MailingState.Paused => mailing.HasBegun,
            MailingState.Sent => mailing.FinishedAt >= triggeredAt,
            _ => false,
        })
        .MinBy(mailing => mailing.Id);

    // Nothing is ready: the job says what became of the last issue instead.
    private static Mailing? LastSent(IReadOnlyList<Mailing> mailings)
        => mailings.Where(mailing => mailing.State == MailingState.Sent).MaxBy(mailing => mailing.FinishedAt);
}
