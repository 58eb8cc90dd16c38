using System.Collections.Concurrent;
using System.Globalization;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Works on mailings that other processes send: so any number of servers share one. Not by a job, which any server might be given, most
/// likely the one that sends already. A mailing's page and its buttons mean all who send it.
/// </summary>
/// <param name="runs">Delivers.</param>
/// <param name="mailings">Knows their issues.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class JoinedMailings(DeliveryRuns runs, IMailingStore mailings, TimeProvider time, ILogger<JoinedMailings> log)
{
    // What failed would fail again a moment later.
    private static readonly TimeSpan RestAfterFailure = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<long, long> failures = new();

    /// <summary>Starts to work on a mailing, unless that failed a moment ago.</summary>
    /// <param name="mailingId">The mailing.</param>
    /// <param name="cancel">Drains: what is being sent is finished, what is claimed is given back.</param>
    public void Join(long mailingId, CancellationToken cancel)
    {
        if (failures.TryGetValue(mailingId, out var failed) && time.GetElapsedTime(failed) < RestAfterFailure) return;
        _ = RunAsync(mailingId, cancel);
    }

    private async Task RunAsync(long mailingId, CancellationToken cancel)
    {
        var issue = "of number " + mailingId.ToString(CultureInfo.InvariantCulture);
        try
        {
            if (await mailings.FindAsync(mailingId, cancel) is { } mailing) issue = mailing.Issue.Value;
            log.LogInformation("Joining the mailing {Issue}, whose job is another process's", issue);
            await runs.AssistAsync(mailingId, cancel);
        }
        catch (OperationCanceledException)
        {
            // The server stops; the others go on.
        }
#pragma warning disable CA1031 // The edge of a task that nobody waits for.
        catch (Exception problem)
#pragma warning restore CA1031
        {
            failures[mailingId] = time.GetTimestamp();
            log.LogError(problem, "The mailing {Issue} could not be joined; the others go on, and the next try is in {Minutes:f0} minute", issue, RestAfterFailure.TotalMinutes);
        }
    }
}
