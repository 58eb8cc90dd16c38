using System.Globalization;
using WeeklyDigest.Audience;
using WeeklyDigest.Issues;
using WeeklyDigest.Rendering;

namespace WeeklyDigest.Publishing;

/// <summary>
/// Publishes an issue: renders it once, imports what changed in the files of its lists, freezes the content and writes the ledger in one
/// transaction. Everything that can be refused is looked at before the first write.
/// </summary>
/// <param name="mailings">The mailings.</param>
/// <param name="subscribers">The lists.</param>
/// <param name="folder">Brings the lists' files into the database.</param>
/// <param name="renderer">Renders e-mail and archive page.</param>
/// <param name="newsletter">The identity that is frozen with the content.</param>
/// <param name="time">The clock.</param>
public sealed class PublishIssue(
    IMailingStore mailings, ISubscriberStore subscribers, SyncLists folder, IssueRenderer renderer, Newsletter newsletter, TimeProvider time)
{
    private readonly FreezeIssue freeze = new(renderer, newsletter, time);

    /// <summary>Publishes, or finds it published.</summary>
    /// <param name="issue">An issue file.</param>
    /// <param name="list">The list asked for; null: the issue's lists, else every list. A published issue is extended only by naming a list.</param>
    /// <param name="scheduledAt">When to start; null or past: at once.</param>
    /// <param name="imported">Told what was imported before the issue is published.</param>
    /// <param name="cancel">Stops; nothing is published.</param>
    /// <exception cref="RefusedException">
    /// The issue has errors (all of them are in the message) or is a draft, or was published under another name; a list is unknown, its file cannot be used, or it has no active member.
    /// </exception>
    /// <exception cref="TemplateException">A template cannot be used.</exception>
    public async Task<PublishResult> RunAsync(
        IssueFile issue, ListName? list, DateTimeOffset? scheduledAt, Func<IReadOnlyList<ListFileReport>, Task> imported, CancellationToken cancel)
    {
        if (!issue.IsValid && list is null && await UnfinishedAsync(issue, cancel) is { } unfinished)
            return new PublishResult(unfinished.Id, Created: false, Added: 0, ContentIsFrozen: true);
        var ready = Preflight.Require(issue);
        var published = await mailings.FindAsync(ready.Slug, cancel);
        if (published is not null && list is null) return await AsItStandsAsync(published, ready, cancel);
        Preflight.RefuseDraft(issue);
        if (published is null) await RefuseSecondNameAsync(ready, cancel);
        var wanted = list is not null ? WantedLists.Only(list) : WantedLists.Of(ready);
        await RequireListsAsync(wanted, cancel);
        var now = time.GetUtcNow();
        var start = scheduledAt > now ? scheduledAt : null;
        var content = await freeze.RunAsync(ready, start ?? now, cancel);
        var reports = await folder.RunAsync(wanted, cancel);
        await imported([.. reports.Where(report => report.Refusal is null)]);
        // Dying here: the lists are up to date, and nothing is published.
        Refuse([], reports);
        var lists = await WithMembersAsync(wanted, cancel);
        return await mailings.PublishAsync(new PublishRequest(ready.Slug, lists, content, start, now), cancel);
    }

    // What goes out was frozen: errors made in the file since, or a second file with its permalink, do not keep the rest from their copy.
    private async Task<Mailing?> UnfinishedAsync(IssueFile issue, CancellationToken cancel)
        => IssueSlug.TryParse(issue.Slug, out var slug) && await mailings.FindAsync(slug, cancel) is { IsOver: false } mailing ? mailing : null;

    // A file that was renamed or copied: everybody who has it would get it once more.
    private async Task RefuseSecondNameAsync(Issue issue, CancellationToken cancel)
    {
        if ((await mailings.ListAsync(cancel)).FirstOrDefault(mailing => mailing.IsAlso(issue)) is not { } other) return;
        var balance = await mailings.BalanceAsync(other.Id, cancel);
        var goesOn = other.State switch
        {
            MailingState.Scheduled or MailingState.Sending => $"`weeklydigest send {other.Issue}` goes on with it. ",
            MailingState.Paused => $"`weeklydigest resume {other.Issue}` lets it go on. ",
            MailingState.Sent => $"`weeklydigest send {other.Issue} --list NAME` sends it to a further list. ",
            _ => "",
        };
        throw new RefusedException(string.Create(
            CultureInfo.InvariantCulture,
            $"{issue.Slug} has the same content as {other.Issue}, which was published at {other.CreatedAt:yyyy-MM-dd HH:mm:ss zzz}, is {other.State.ToString().ToLowerInvariant()}, and was sent to {balance.Sent} of {balance.Total}. {goesOn}To send it anew all the same, change its text. Nothing was published."));
    }

    private async Task<PublishResult> AsItStandsAsync(Mailing published, Issue issue, CancellationToken cancel)
    {
        var frozen = await mailings.ContentAsync(published.Id, cancel);
        return new PublishResult(published.Id, Created: false, Added: 0, ContentIsFrozen: await freeze.DiffersAsync(frozen, issue, cancel));
    }

    // A list that cannot be read keeps the whole issue back: who is on it would be left out, and nobody is added afterwards.
    private async Task RequireListsAsync(WantedLists wanted, CancellationToken cancel)
    {
        var known = (await subscribers.ListNamesAsync(cancel)).Union(folder.Names).Order().ToList();
        if (known.Count == 0 && wanted.Named is null) throw new RefusedException("There is no list yet; put a CSV file into the subscribers folder, or import one.");
        var there = known.Count > 0 ? string.Join(", ", known) : "none";
        var misnamed = wanted.Misnamed.Select(text => $"'{text}' in the issue's lists is no name of a list; there are: {there}.");
        var unknown = (wanted.Named ?? []).Except(known).Select(name => $"There is no list {name}; there are: {there}.");
        Refuse([.. misnamed, .. unknown], await folder.RefusedAsync(wanted, cancel));
    }

    // A file may break in the moment between the look and the import: the import's own report is asked as well.
    private static void Refuse(IReadOnlyList<string> problems, IReadOnlyList<ListFileReport> reports)
    {
        List<string> lines = [.. problems, .. reports.Where(report => report.Refusal is not null).Select(file => $"{file.Path} cannot be used. {file.Refusal}")];
        if (lines.Count > problems.Count) lines.Add("Mend it, or move a file that is no list out of the subscribers folder, and try again.");
        if (lines.Count > 0) throw new RefusedException($"{string.Join('\n', lines)}\nNothing was published.");
    }

    private async Task<IReadOnlyList<ListName>> WithMembersAsync(WantedLists wanted, CancellationToken cancel)
    {
        List<ListName> lists = [.. (await subscribers.ListNamesAsync(cancel)).Where(wanted.Include)];
        return await subscribers.HasActiveMemberAsync(lists, cancel)
            ? lists
            : throw new RefusedException($"No active subscriber is on {string.Join(", ", wanted.Named ?? lists)}; nothing was published.");
    }
}
