using Hangfire;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>
/// What the buttons of the page Issues do. Work is a job, and its page is shown; to pause or cancel is written to the ledger at once,
/// since it must not wait in the queue behind the very work it is to stop.
/// </summary>
/// <param name="library">The issues folder.</param>
/// <param name="mailings">The mailings.</param>
/// <param name="jobs">Starts jobs.</param>
/// <param name="time">The clock.</param>
internal sealed class IssueActions(IssueLibrary library, IMailingStore mailings, IBackgroundJobClient jobs, TimeProvider time)
{
    private const string Issues = "/issues";

    /// <summary>Does it.</summary>
    /// <returns>The page to show next, within the dashboard; null when there is no such issue.</returns>
    /// <exception cref="RefusedException">The mailing is in another state by now.</exception>
    public async Task<string?> DoAsync(string action, string slug, CancellationToken cancel)
    {
        if (!IssueSlug.TryParse(slug, out var issue)) return null;
        var mailing = await mailings.FindAsync(issue, cancel);
        var known = mailing is not null || library.All().Any(file => file.Slug == slug);
        return (action, mailing) switch
        {
            _ when !known => null,
            ("preview", _) => JobPage(jobs.Enqueue<PreviewJob>(job => job.OfAsync(slug, null, CancellationToken.None))),
            ("send", _) => JobPage(jobs.Enqueue<SendIssueJob>(job => job.RunAsync(slug, null, CancellationToken.None))),
            ("pause", { } one) => await ChangeAsync(one, EditorsChange.Pause, cancel),
            ("cancel", { } one) => await ChangeAsync(one, EditorsChange.Cancel, cancel),
            ("resume", { } one) => await ResumeAsync(one, cancel),
            _ => null,
        };
    }

    private async Task<string> ChangeAsync(Mailing mailing, EditorsChange change, CancellationToken cancel)
    {
        var at = time.GetUtcNow();
        var to = change.To(mailing, at);
        if (await mailings.ChangeStateAsync(mailing.Id, change.From, to, change.Reason, at, cancel)) return Issues;
        // The page that the button was on is older than what became of the mailing. A button that was pressed twice got what it asked for.
        var now = (await mailings.FindAsync(mailing.Id, cancel) ?? mailing).State;
        return now == to ? Issues : throw change.Refusal(mailing.Issue, now);
    }

    private async Task<string> ResumeAsync(Mailing mailing, CancellationToken cancel)
    {
        var to = mailing.Resumed(time.GetUtcNow());
        // From sending as well: that lifts the stops of domains that refused.
        await mailings.ChangeStateAsync(mailing.Id, to == MailingState.Sending ? [MailingState.Paused, to] : [MailingState.Paused], to, null, time.GetUtcNow(), cancel);
        // Dying here: the ledger says sending, and the watch takes it up.
        return JobPage(jobs.Enqueue<DeliverMailingJob>(job => job.RunAsync(mailing.Id, null, CancellationToken.None)));
    }

    private static string JobPage(string job) => "/jobs/details/" + job;
}
