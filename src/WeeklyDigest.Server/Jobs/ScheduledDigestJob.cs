using System.ComponentModel;
using Hangfire;
using Hangfire.Server;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Sends what is ready at a time of the schedule. However often and on however many nodes it runs for one time, it deals with one issue: the
/// choice is kept beside the time, and the time is closed when the issue is published. The rest is the mailing's.
/// </summary>
/// <param name="edge">Where its exceptions end.</param>
/// <param name="sending">Publishes and delivers.</param>
/// <param name="candidates">Chooses.</param>
/// <param name="mailings">The mailings.</param>
/// <param name="schedules">Times that have come.</param>
/// <param name="settings">Where issues are.</param>
/// <param name="log">The log.</param>
internal sealed class ScheduledDigestJob(
    JobEdge edge, IssueSending sending, Candidates candidates, IMailingStore mailings, IScheduleStore schedules, ServerSettings settings, ILogger<ScheduledDigestJob> log)
{
    /// <summary>Runs the job.</summary>
    /// <param name="dueAt">The time of the schedule.</param>
    /// <param name="context">Filled in by Hangfire.</param>
    /// <param name="cancel">Filled in by Hangfire.</param>
    [AutomaticRetry(Attempts = 0), DisplayName("weekly-digest of {0}")]
    public Task<string> RunAsync(DateTimeOffset dueAt, PerformContext? context, CancellationToken cancel) => edge.RunAsync(context, async page =>
    {
        try
        {
            return await RunAsync(page, dueAt, cancel);
        }
        catch (Exception failure) when (Ends(failure, cancel))
        {
            var note = failure is RefusedException or TemplateException ? failure.Message : $"Unexpected error: {failure.GetType().Name}: {failure.Message}";
            await schedules.CloseAsync(dueAt, OccurrenceState.Refused, note, CancellationToken.None);
            throw;
        }
    }, cancel);

    /// <summary>
    /// Whether a failure ends the time: the same issue would fail a minute later as well, on any node. Files that cannot be read, and a database that cannot be used, may be right by
    /// then; a time zone that this node does not know another one may know; and what a server meets while it stops says nothing.
    /// </summary>
    internal static bool Ends(Exception failure, CancellationToken cancel)
        => !cancel.IsCancellationRequested
           && failure is not (OperationCanceledException or ObjectDisposedException or StorageException or IOException or UnauthorizedAccessException or TimeZoneNotFoundException or InvalidTimeZoneException)
           && KnownTrouble.In(failure) is null;

    private async Task<string> RunAsync(JobPage page, DateTimeOffset dueAt, CancellationToken cancel)
    {
        if (await schedules.FindAsync(dueAt, cancel) is not { State: OccurrenceState.Due } occurrence) return page.Finish("Taken up before; nothing to do.");
        if ((occurrence.Issue ?? await ChooseAsync(page, dueAt, cancel)) is not { } choice)
        {
            await schedules.CloseAsync(dueAt, OccurrenceState.Done, "No issue was ready.", cancel);
            log.LogWarning("Nothing was sent at {DueAt:yyyy-MM-dd HH:mm} UTC: no issue was ready in {Folder}", dueAt, settings.Paths.Issues);
            return page.Finish("Nothing to send: no issue is ready.");
        }
        // The first choice counts. Dying after this line: the next run deals with the same issue, published or not.
        if (await schedules.ChooseAsync(dueAt, choice, cancel) is not { } slug) return page.Finish("Taken up before; nothing to do.");
        page.Choose(slug);
        var mailing = await sending.PublishedAsync(page, slug, cancel);
        // Dying before this line: the next run finds it published.
        await schedules.CloseAsync(dueAt, OccurrenceState.Done, null, cancel);
        return await sending.DeliverAsync(page, mailing, cancel);
    }

    private async Task<string?> ChooseAsync(JobPage page, DateTimeOffset dueAt, CancellationToken cancel)
    {
        var all = await mailings.ListAsync(cancel);
        return BegunSince(all, dueAt)?.Issue.Value ?? await candidates.NextAsync(all, page, cancel);
    }

    /// <summary>
    /// The mailing that somebody began by hand since a time came that nobody was there for: it was meant for that time. One that began before, and
    /// waits for deferred recipients or is held, uses no time up; nor does one with a time of its own.
    /// </summary>
    private static Mailing? BegunSince(IReadOnlyList<Mailing> mailings, DateTimeOffset dueAt) => mailings
        .Where(mailing => mailing.State is MailingState.Sending or MailingState.Paused or MailingState.Sent && mailing.ScheduledAt is null && (mailing.StartedAt ?? mailing.CreatedAt) >= dueAt)
        .MinBy(mailing => mailing.Id);
}
