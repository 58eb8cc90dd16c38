using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Commands;

/// <summary><c>status [ISSUE] [--json]</c>: the balance of one mailing, or of all.</summary>
internal static class StatusCommand
{
    // What state, counts of seven digits and the table's lines take.
    private const int OtherColumns = 68;
    private const int ShortestSlug = 8;

    /// <summary>Alarms shown; stopped domains come first.</summary>
    private const int MostAlarms = 20;

    /// <summary>The command.</summary>
    public static Command Create(CommandEdge edge)
    {
        var issue = new Argument<string?>("ISSUE") { Description = "The issue; without one, all mailings.", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "Print one JSON document and nothing else. In it bounced, complained and unsubscribed are parts of sent; mail that comes back later is not collected, so the first two are 0. Who was refused at once is in failed." };
        var command = new Command("status", "Show what became of a mailing: a sum that adds up.") { issue, json };
        command.SetAction(edge.Run((run, parsed, cancel) => parsed.GetValue(issue) is { } one
            ? OneAsync(run, one, parsed.GetValue(json), cancel)
            : AllAsync(run, parsed.GetValue(json), cancel)));
        return command;
    }

    private static async Task<int> OneAsync(CommandRun run, string issue, bool json, CancellationToken cancel)
    {
        var installation = await run.OpenAsync(cancel);
        var mailing = await Mailings.FindAsync(run, installation, issue, cancel);
        var balance = await installation.Database.Mailings.BalanceAsync(mailing.Id, cancel);
        var alarms = await installation.Database.Mailings.AlarmsAsync(mailing.Id, MostAlarms, cancel);
        var aside = await installation.RelaysAside.ReadAsync(cancel);
        if (json)
        {
            await Json.WriteAsync(run.Out, Status.Of(mailing, balance, alarms, aside));
            return CommandLine.Done;
        }
        await BalanceView.WriteAsync(run, mailing, balance);
        await BalanceView.WriteAlarmsAsync(run.Out, mailing, alarms);
        await BalanceView.WriteDecisionsAsync(run.Out, mailing, balance);
        await WriteAsync(run.Out, aside);
        await WriteStoppedAsync(run, installation, mailing, cancel);
        var change = await installation.FileChanges.OfAsync(mailing, Mailings.FileOf(run, mailing, issue), cancel);
        if (change != FileChange.None) await run.Out.WriteLineAsync(FileWords.Line(mailing, change));
        return CommandLine.Done;
    }

    private static async Task<int> AllAsync(CommandRun run, bool json, CancellationToken cancel)
    {
        var installation = await run.OpenAsync(cancel);
        var store = installation.Database.Mailings;
        var all = new List<(Mailing Mailing, Balance Balance, IReadOnlyList<DomainAlarm> Alarms)>();
        foreach (var mailing in await store.ListAsync(cancel))
            all.Add((mailing, await store.BalanceAsync(mailing.Id, cancel), await store.AlarmsAsync(mailing.Id, MostAlarms, cancel)));
        var aside = await installation.RelaysAside.ReadAsync(cancel);
        if (json) await Json.WriteAsync(run.Out, all.Select(item => Status.Of(item.Mailing, item.Balance, item.Alarms, aside)));
        else if (all.Count == 0) await run.Out.WriteLineAsync("Nothing has been published yet.");
        else if (run.Host.OutIsTerminal) run.Console.Write(TableOf(all.Select(item => (item.Mailing, item.Balance)), run.Console.Profile.Width - OtherColumns));
        else foreach (var (mailing, balance, alarms) in all) await run.Out.WriteLineAsync($"{mailing.Issue}: {BalanceView.StateOf(mailing)}; {BalanceView.Sum(balance)}{(alarms.Count > 0 ? "; alarm: `weeklydigest status " + mailing.Issue + "` tells" : "")}");
        if (!json) await WriteAsync(run.Out, aside);
        return CommandLine.Done;
    }

    private static async Task WriteAsync(TextWriter target, IReadOnlyList<RelayAside> aside)
    {
        foreach (var relay in aside) await target.WriteLineAsync($"alarm: {RelaysAside.Describe(relay)}");
    }

    private static async Task WriteStoppedAsync(CommandRun run, Installation installation, Mailing mailing, CancellationToken cancel)
    {
        var holders = await installation.Database.Ledger.HoldersAsync(cancel);
        foreach (var sender in Sender.StoppedHere(holders, run.Settings.Paths.Data).Where(sender => sender.MailingId == mailing.Id))
            await run.Out.WriteLineAsync($"alarm: {sender.DescribeStop()}");
    }

    private static Table TableOf(IEnumerable<(Mailing Mailing, Balance Balance)> all, int issueWidth)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("issue").AddColumn(new TableColumn("state").NoWrap());
        foreach (var name in new[] { "total", "open", "sent", "failed", "uncertain" }) table.AddColumn(new TableColumn(name).RightAligned().NoWrap());
        foreach (var (mailing, balance) in all)
        {
            long[] counts = [balance.Total, balance.Open, balance.Sent, balance.Failed, balance.Uncertain];
            table.AddRow([new Text(Shorten(mailing.Issue.Value, issueWidth)), new Text(mailing.State.ToString().ToLowerInvariant()), .. counts.Select(count => new Text(count.ToString("N0", CultureInfo.InvariantCulture)))]);
        }
        return table;
    }

    private static string Shorten(string slug, int width) => slug.Length <= width || width < ShortestSlug ? slug : slug[..(width - 1)] + "…";
}

/// <summary>The JSON of a mailing's status. <c>bounced</c>, <c>complained</c> and <c>unsubscribed</c> are subsets of <c>sent</c>.</summary>
internal sealed record Status(
    string Issue, long Mailing, string State, long Total, long Pending, long Claimed, long Sending, long Deferred, long Sent, long Failed,
    long Suppressed, long Uncertain, long Attempts, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, long Bounced, long Complained, long Unsubscribed,
    DateTimeOffset? ScheduledAt, IReadOnlyList<StatusAlarm> Alarms, IReadOnlyList<RelayAside> RelaysAside, string? StateReason)
{
    /// <summary>
    /// The status of a mailing. Bounces and complaints that come back after a message was accepted are not collected by this version: none are known. A
    /// subscriber with the status bounced was refused at once, and the delivery is in <c>failed</c>.
    /// </summary>
    public static Status Of(Mailing mailing, Balance balance, IReadOnlyList<DomainAlarm> alarms, IReadOnlyList<RelayAside> aside) => new(
        mailing.Issue.Value, mailing.Id, mailing.State.ToString().ToLowerInvariant(), balance.Total, balance.Pending, balance.Claimed, balance.Sending,
        balance.Deferred, balance.Sent, balance.Failed, balance.Suppressed, balance.Uncertain, balance.Attempts, mailing.StartedAt, mailing.FinishedAt,
        Bounced: 0, Complained: 0, balance.Unsubscribed, mailing.ScheduledAt,
        [.. alarms.Select(alarm => new StatusAlarm(alarm.Domain, alarm.Refusals, alarm.InARow, alarm.Reply, alarm.FirstAt, alarm.LastAt, alarm.StoppedAt, BalanceView.WaitingOf(mailing, alarm)))],
        aside, mailing.StateReason);
}

/// <summary>The JSON of a receiving domain that does not want a mailing.</summary>
internal sealed record StatusAlarm(
    string Domain, long Refusals, long InARow, string Reply, DateTimeOffset FirstAt, DateTimeOffset LastAt, DateTimeOffset? StoppedAt, long Waiting);

/// <summary>Finds the mailing a command names.</summary>
internal static class Mailings
{
    /// <summary>The mailing of an issue: by slug, also when its file is gone, or by its file's path or name.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public static async Task<Mailing> FindAsync(CommandRun run, Installation installation, string issue, CancellationToken cancel)
    {
        if (await NamedAsync(run, installation, issue, cancel) is { } published) return published;
        var slug = run.Issue(issue).Slug;
        return (IssueSlug.TryParse(slug, out var valid) ? await installation.Database.Mailings.FindAsync(valid, cancel) : null)
            ?? throw new RefusedException($"{slug} has not been published; `weeklydigest send` does that.");
    }

    /// <summary>The mailing of that very slug, whatever became of its file; null when there is none, or a file is named.</summary>
    public static async Task<Mailing?> NamedAsync(CommandRun run, Installation installation, string issue, CancellationToken cancel)
        => !File.Exists(run.PathOf(issue)) && IssueSlug.TryParse(NameOf(run, issue), out var named) ? await installation.Database.Mailings.FindAsync(named, cancel) : null;

    /// <summary>The file of a mailing's issue: the one that was named, or the one in the issues folder; null when it is gone.</summary>
    public static IssueFile? FileOf(CommandRun run, Mailing mailing, string named)
        => new[] { named, mailing.Issue.Value }.Select(run.FindIssue).FirstOrDefault(file => file?.Slug == mailing.Issue.Value);

    // The line that published it may have named the file.
    private static string NameOf(CommandRun run, string issue)
        => run.PathOf(issue) is var path && Path.GetExtension(path) == ".md" && Path.GetDirectoryName(path) == Path.TrimEndingDirectorySeparator(run.Settings.Paths.Issues)
            ? Path.GetFileNameWithoutExtension(path)
            : issue;
}
