using System.ComponentModel;
using Hangfire;
using Hangfire.Server;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>Goes on with a mailing whose time has come: scheduled, deferred, resumed, or left behind by a process that died.</summary>
/// <param name="edge">Where its exceptions end.</param>
/// <param name="sending">Sends.</param>
/// <param name="mailings">The mailings.</param>
internal sealed class DeliverMailingJob(JobEdge edge, IssueSending sending, IMailingStore mailings)
{
    /// <summary>Runs the job.</summary>
    /// <param name="mailingId">The mailing.</param>
    /// <param name="context">Filled in by Hangfire.</param>
    /// <param name="cancel">Filled in by Hangfire.</param>
    [AutomaticRetry(Attempts = 0), DisplayName("deliver-mailing {0}")]
    public Task<string> RunAsync(long mailingId, PerformContext? context, CancellationToken cancel) => edge.RunAsync(context, async page =>
    {
        if (await mailings.FindAsync(mailingId, cancel) is not { } mailing) throw new RefusedException($"There is no mailing {mailingId}.");
        page.Choose(mailing.Issue.Value);
        return await sending.DeliverAsync(page, mailing, cancel);
    }, cancel);
}
