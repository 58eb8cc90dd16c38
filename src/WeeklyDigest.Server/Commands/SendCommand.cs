using System.CommandLine;
using System.Globalization;
using WeeklyDigest.Audience;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Storage;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>send ISSUE [--list NAME] [--at TIME] [--wait]</c>: publishes and delivers; run again, it resumes, gives another time, or does nothing.</summary>
internal static class SendCommand
{
    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var issue = Inputs.Issue();
        var list = Inputs.List("The list it goes to. Default: those the issue names, else every list.");
        var at = new Option<string?>("--at") { HelpName = "TIME", Description = "When to start: 2026-03-02T09:00 in the time zone of the schedule, or with an offset. Before it begins, another time can be given; the issue is then taken as it is." };
        var wait = new Option<bool>("--wait") { Description = "Stay until every delivery is final, deferred ones too." };
        var command = new Command("send", "Publish an issue and deliver it; run again, it resumes or does nothing.") { issue, list, at, wait };
        command.SetAction(edge.Run((run, parsed, cancel) => RunAsync(
            run, parsed.GetRequiredValue(issue), parsed.GetValue(list), parsed.GetValue(at), parsed.GetValue(wait), cancel)));
        return command;
    }

    private static async Task<int> RunAsync(CommandRun run, string name, string? listName, string? atText, bool wait, CancellationToken cancel)
    {
        var list = Inputs.ReadList(listName);
        // A slip is told before anything is made.
        if (atText is not null && !Database.Exists(run.Settings.Storage)) SendTime.Parse(atText, run.Settings.Schedule.TimeZone, run.Host.Time.GetUtcNow());
        var file = run.FindIssue(name);
        var installation = await run.OpenAsync(cancel);
        await installation.RequireSendableAsync(cancel);
        DateTimeOffset? at = atText is null ? null
            : SendTime.Parse(atText, await WeeklySchedule.ZoneAsync(installation.Database.Schedules, run.Settings.Schedule, cancel), run.Host.Time.GetUtcNow());
        if (file is not { } issue) return await GoOnAsync(run, installation, await Mailings.FindAsync(run, installation, name, cancel), list, at, wait, cancel);
        await RefuseTimeAsync(run, installation, issue, at, cancel);
        var published = await installation.PublishIssue.RunAsync(issue, list, at, reports => ListReports.WriteAsync(run, reports), cancel);
        var rescheduled = at is { } moment && !published.Created ? await RescheduleAsync(run, installation, issue, published.MailingId, moment, cancel) : null;
        await DescribeAsync(run, issue, published, rescheduled, list);
        if (rescheduled is not null && await installation.Database.Mailings.FindAsync(published.MailingId, cancel) is { State: MailingState.Paused } paused)
        {
            await BalanceView.WriteAsync(run, paused, await installation.Database.Mailings.BalanceAsync(paused.Id, cancel));
            await run.Out.WriteLineAsync($"It is paused, and stays so until `weeklydigest resume {paused.Issue}`.");
            return CommandLine.Done;
        }
        return await new Delivering(run, installation).RunAsync(published, wait, cancel);
    }

    // What goes out was frozen; only what would freeze it anew, or add somebody, needs the file.
    private static async Task<int> GoOnAsync(
        CommandRun run, Installation installation, Mailing mailing, ListName? list, DateTimeOffset? at, bool wait, CancellationToken cancel)
    {
        if (list is not null && !mailing.Lists.Contains(list)) throw FileIsGone(mailing, "adding a list");
        if (at is { } moment && IsAnother(moment, mailing, run.Host.Time.GetUtcNow())) throw FileIsGone(mailing, "giving it another time");
        await run.Error.WriteLineAsync($"{mailing.Issue}: {FileWords.Describe(FileChange.Gone)}");
        return await new Delivering(run, installation).RunAsync(new PublishResult(mailing.Id, Created: false, Added: 0, ContentIsFrozen: false), wait, cancel);
    }

    private static RefusedException FileIsGone(Mailing mailing, string what)
        => new($"The file of {mailing.Issue} is gone; {what} needs it. Put it back, or run `weeklydigest send {mailing.Issue}` alone, which goes on with what was published.");

    // Before anything is written. A first run with a time gone by is a slip that would send at once.
    private static async Task RefuseTimeAsync(CommandRun run, Installation installation, IssueFile issue, DateTimeOffset? at, CancellationToken cancel)
    {
        if (at is not { } moment) return;
        var now = run.Host.Time.GetUtcNow();
        var mailing = IssueSlug.TryParse(issue.Slug, out var slug) ? await installation.Database.Mailings.FindAsync(slug, cancel) : null;
        if (mailing is null && moment <= now)
            throw new RefusedException(string.Create(CultureInfo.InvariantCulture, $"{moment:yyyy-MM-dd HH:mm:ss zzz} is in the past; leave --at out to send at once."));
        if (mailing is not null && IsAnother(moment, mailing, now)) installation.RescheduleIssue.Require(mailing, moment);
    }

    private static async Task<RescheduleResult?> RescheduleAsync(
        CommandRun run, Installation installation, IssueFile issue, long mailingId, DateTimeOffset at, CancellationToken cancel)
    {
        var mailing = await installation.Database.Mailings.FindAsync(mailingId, cancel);
        return mailing is not null && IsAnother(at, mailing, run.Host.Time.GetUtcNow()) ? await installation.RescheduleIssue.RunAsync(issue, mailing, at, cancel) : null;
    }

    // The same line run again after its time resumes.
    private static bool IsAnother(DateTimeOffset at, Mailing mailing, DateTimeOffset now) => at != mailing.ScheduledAt && (at > now || !mailing.HasBegun);

    private static async Task DescribeAsync(CommandRun run, IssueFile issue, PublishResult published, RescheduleResult? rescheduled, ListName? list)
    {
        var added = string.Create(CultureInfo.InvariantCulture, $"{published.Added} {(published.Added == 1 ? "delivery" : "deliveries")}");
        await run.Out.WriteLineAsync(published switch
        {
            { Created: true } => $"{issue.Slug}: published, {added}.",
            { Added: > 0 } => $"{issue.Slug}: was published before; {added} added for list {list}.",
            _ => $"{issue.Slug}: was published before; nobody is added.",
        });
        if (rescheduled is { } times)
            await run.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{issue.Slug}: starts at {times.At:yyyy-MM-dd HH:mm:ss zzz} instead of {times.Before:yyyy-MM-dd HH:mm:ss zzz}."));
        if (rescheduled is { ContentIsNew: true })
            await run.Error.WriteLineAsync($"{issue.Slug}: {FileWords.HasChanged}; at its new time it goes out as it is now.");
        if (rescheduled is null && published.ContentIsFrozen)
            await run.Error.WriteLineAsync($"{issue.Slug}: {FileWords.Describe(issue.IsValid ? FileChange.Changed : FileChange.HasErrors)}");
    }
}
