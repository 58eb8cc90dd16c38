using System.Globalization;
using Hangfire;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Jobs;

/// <summary>Sends one issue from a job: publishes it unless that was done, delivers what is left, and says what became of it.</summary>
/// <param name="library">The issues folder.</param>
/// <param name="publish">Publishes.</param>
/// <param name="runs">Delivers.</param>
/// <param name="mailings">The mailings.</param>
/// <param name="storage">Knows the other jobs.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class IssueSending(
    IssueLibrary library, PublishIssue publish, DeliveryRuns runs, IMailingStore mailings, JobStorage storage, TimeProvider time, ILogger<IssueSending> log)
{
    private const string ByTheEditor = "by the editor";
    private const string Deleted = "its job was deleted";
    private const string Waits = "what is left waits until it is resumed on the page Issues";

    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(10);

    /// <summary>Sends the issue, or goes on with it, or says that it was sent.</summary>
    /// <exception cref="RefusedException">There is no such issue, it has errors, or its lists have no member.</exception>
    public async Task<string> SendAsync(JobPage page, string slug, CancellationToken cancel)
    {
        return await DeliverAsync(page, await PublishedAsync(page, slug, cancel), cancel);
    }

    /// <summary>Publishes the issue unless that was done.</summary>
    /// <exception cref="RefusedException">There is no such issue, it has errors, or its lists have no member.</exception>
    public async Task<Mailing> PublishedAsync(JobPage page, string slug, CancellationToken cancel)
    {
        if (!IssueSlug.TryParse(slug, out var valid)) throw new RefusedException($"{slug} is not the name of an issue.");
        return await mailings.FindAsync(valid, cancel) ?? await PublishAsync(page, slug, cancel);
    }

    /// <summary>Delivers what is left of a mailing, when its state lets us.</summary>
    /// <param name="page">The job's page.</param>
    /// <param name="mailing">The mailing.</param>
    /// <param name="cancel">The server stops, or somebody deleted or requeued the job.</param>
    public async Task<string> DeliverAsync(JobPage page, Mailing mailing, CancellationToken cancel)
    {
        try
        {
            return await RunAsync(page, mailing, cancel);
        }
        catch (OperationCanceledException) when (page.IsDeleted)
        {
            await ConcludeDeletedAsync(page, mailing);
            throw;
        }
    }

    /// <summary>Holds a mailing whose job the editor deleted, unless another job delivers it, here or on another node: the ledger's watch would only start another.</summary>
    /// <returns>Whether it is held.</returns>
    public async Task<bool> HoldAsync(long mailingId)
    {
        if (runs.HasJob(mailingId)) return false;
        if (await mailings.FindAsync(mailingId, CancellationToken.None) is not { } mailing || JobPage.IsAtWork(storage, mailing.Issue.Value)) return false;
        var now = time.GetUtcNow();
        // One whose time has come is scheduled until a job runs; before that, the job was none that woke it.
        MailingState[] from = mailing.ScheduledAt > now ? [MailingState.Sending] : [MailingState.Sending, MailingState.Scheduled];
        await mailings.ChangeStateAsync(mailingId, from, MailingState.Paused, Deleted, now, CancellationToken.None);
        return true;
    }

    /// <summary>Says on the page of a deleted job how it ended, where its own worker cannot.</summary>
    /// <param name="page">Its page.</param>
    /// <param name="mailingId">The mailing, or null when it published none.</param>
    /// <param name="isResumed">Whether the editor resumed it since.</param>
    public async Task ConcludeLeftAsync(JobPage page, long? mailingId, bool isResumed)
    {
        if (mailingId is not { } id || await mailings.FindAsync(id, CancellationToken.None) is not { } mailing)
        {
            page.Finish("Deleted before anything was published.");
            return;
        }
        await SayDeletedAsync(page, id, mailing.State switch
        {
            MailingState.Paused => Waits,
            MailingState.Sending => isResumed ? "it was resumed, and goes on" : "another job goes on with it",
            _ => null,
        });
    }

    /// <summary>Holds a mailing whose time came while no server was on, and too long ago to make it good: the editor decides.</summary>
    /// <returns>Whether it is held.</returns>
    public async Task<bool> HoldsLateAsync(long mailingId, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        if (await mailings.FindAsync(mailingId, cancel) is not { State: MailingState.Scheduled, ScheduledAt: { } at } mailing || now - at <= WeeklySchedule.CatchUp) return false;
        var reason = $"was to start at {Time(at)}, when no server was on; that is too long ago to send it unasked. Resume it if it is still wanted, or give it another time first";
        var isHeld = await mailings.ChangeStateAsync(mailingId, [MailingState.Scheduled], MailingState.Paused, reason, now, cancel);
        if (isHeld) log.LogError("{Issue} was not sent: it {Reason}", mailing.Issue, reason);
        return isHeld;
    }

    private async Task<string> RunAsync(JobPage page, Mailing mailing, CancellationToken cancel)
    {
        var balance = await mailings.BalanceAsync(mailing.Id, cancel);
        switch (mailing.State)
        {
            case MailingState.Sent:
                return page.Finish(AlreadySent(mailing, Tally(balance)), mailing.State, balance);
            case MailingState.Cancelled:
                return page.Finish($"{mailing.Issue} was cancelled after {Tally(balance)}; nothing is sent.", mailing.State, balance);
            case MailingState.Paused:
                return page.Finish($"{mailing.Issue} is paused after {Tally(balance)}: {mailing.StateReason ?? "no reason given"}. It can be resumed on the page Issues.", mailing.State, balance);
            default:
                page.Say($"Sending {mailing.Issue}.");
                var (result, other) = await runs.RunAsync(mailing, page, cancel);
                if (result is null) return page.LeaveTo(other!, $"{mailing.Issue} is being sent by job #{other}; its page shows the progress.", balance);
                // It may have been given another time since it was due.
                return Conclude(page, await mailings.FindAsync(mailing.Id, cancel) ?? mailing, result);
        }
    }

    private async Task ConcludeDeletedAsync(JobPage page, Mailing mailing)
    {
        // What this process only joined has no other job: the other process joined it as well, when a requeue brought the job here.
        var isHeld = await HoldAsync(mailing.Id);
        // What was joined drains now; an answer that takes minutes is not waited for.
        if (isHeld && runs.IsRunning(mailing.Id)) await Task.WhenAny(runs.AssistAsync(mailing.Id, CancellationToken.None), Task.Delay(DrainPatience, time));
        await SayDeletedAsync(page, mailing.Id, isHeld ? Waits : "another job goes on with it");
    }

    private async Task SayDeletedAsync(JobPage page, long mailingId, string? left)
    {
        if (await mailings.FindAsync(mailingId, CancellationToken.None) is not { } mailing) return;
        var balance = await mailings.BalanceAsync(mailingId, CancellationToken.None);
        var rest = mailing.State == MailingState.Cancelled ? "it is cancelled, and what was not sent stays unsent" : left;
        page.Finish($"Deleted: {mailing.Issue}, {Tally(balance)}{(rest is null ? "" : "; " + rest)}.", mailing.State, balance);
    }

    private string Conclude(JobPage page, Mailing mailing, DeliveryRunResult result)
    {
        var tally = Tally(result.Balance);
        var headline = result.State switch
        {
            MailingState.Sent when result.WasSent => AlreadySent(mailing, tally),
            MailingState.Sent => $"Sent: {mailing.Issue}, {tally}.",
            // Another node saw first that the job was deleted.
            MailingState.Paused when result.StateReason == Deleted => $"Deleted: {mailing.Issue}, {tally}; {Waits}.",
            MailingState.Paused => $"Paused: {mailing.Issue}, {tally}: {result.StateReason ?? ByTheEditor}",
            MailingState.Cancelled => $"Cancelled: {mailing.Issue}, {tally}.",
            MailingState.Scheduled => $"{mailing.Issue} waits for its time, {Time(mailing.ScheduledAt)}.",
            _ when result.NextAttemptAt is not null => $"Sent so far: {mailing.Issue}, {tally}; the rest is tried again from {Time(result.NextAttemptAt)}.",
            _ => $"Sent so far: {mailing.Issue}, {tally}.",
        };
        // By itself: whoever looks at nothing but the log is to see it.
        if (result is { State: MailingState.Paused, StateReason: not (null or ByTheEditor or Deleted) }) log.LogWarning("{Headline}", headline);
        return page.Finish(headline, result.State, result.Balance, result.NextAttemptAt);
    }

    private async Task<Mailing> PublishAsync(JobPage page, string slug, CancellationToken cancel)
    {
        var file = library.All().FirstOrDefault(file => file.Slug == slug)
            ?? throw new RefusedException($"There is no issue {slug} in the issues folder any more. Nothing was sent.");
        page.Say($"Publishing {slug}.");
        var published = await publish.RunAsync(file, list: null, scheduledAt: null, reports => Note(page, reports), cancel);
        page.Note(published.Created ? $"Published {slug} to {published.Added} subscribers." : $"{slug} was published at the same moment by somebody else; joined.");
        // A job that was deleted meanwhile holds what it published.
        return await mailings.FindAsync(published.MailingId, CancellationToken.None) ?? throw new RefusedException($"The mailing of {slug} is gone.");
    }

    private static Task Note(JobPage page, IReadOnlyList<ListFileReport> reports)
    {
        foreach (var file in reports)
        {
            var name = Path.GetFileName(file.Path);
            page.Note(file.Refusal is null
                ? $"{name}: {file.Counts.Added} added, {file.Counts.Updated} updated, {file.Counts.KeptOut} kept out."
                : $"{name} was not read: {file.Refusal}");
            if (file.ProblemCount > 0) page.Note($"{name}: {file.ProblemCount} {(file.ProblemCount == 1 ? "row was" : "rows were")} skipped; the first, line {file.Problems[0].Line}: {file.Problems[0].Message}");
        }
        return Task.CompletedTask;
    }

    private static string AlreadySent(Mailing mailing, string tally) => $"Already sent: {mailing.Issue}, {tally}; nothing to do.";

    private static string Tally(Balance balance)
    {
        var others = new List<string>();
        if (balance.Failed > 0) others.Add($"{balance.Failed} failed");
        if (balance.Suppressed > 0) others.Add($"{balance.Suppressed} left in time");
        if (balance.Uncertain > 0) others.Add($"{balance.Uncertain} uncertain");
        if (balance.Deferred > 0) others.Add($"{balance.Deferred} deferred");
        return $"{balance.Sent} of {balance.Total}" + (others.Count > 0 ? $" ({string.Join(", ", others)})" : "");
    }

    private static string Time(DateTimeOffset? time) => time?.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture) ?? "unknown";
}
