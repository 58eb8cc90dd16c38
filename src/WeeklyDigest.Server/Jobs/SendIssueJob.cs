using System.ComponentModel;
using Hangfire;
using Hangfire.Server;

namespace WeeklyDigest.Server.Jobs;

/// <summary>Sends one issue: what the button Send does. Run again, it resumes or says that it was sent.</summary>
/// <param name="edge">Where its exceptions end.</param>
/// <param name="sending">Sends.</param>
internal sealed class SendIssueJob(JobEdge edge, IssueSending sending)
{
    /// <summary>Runs the job.</summary>
    /// <param name="slug">The issue.</param>
    /// <param name="context">Filled in by Hangfire.</param>
    /// <param name="cancel">Filled in by Hangfire.</param>
    [AutomaticRetry(Attempts = 0), DisplayName("send {0}")]
    public Task<string> RunAsync(string slug, PerformContext? context, CancellationToken cancel) => edge.RunAsync(context, page =>
    {
        page.Choose(slug);
        return sending.SendAsync(page, slug, cancel);
    }, cancel);
}
