using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>One issue as the page Issues shows it.</summary>
/// <param name="Slug">The issue.</param>
/// <param name="File">Its file, or null when it is gone.</param>
/// <param name="Readiness">ready, draft, later, invalid, or file is gone.</param>
/// <param name="Mailing">Its mailing, or null.</param>
/// <param name="Balance">The mailing's balance, or null.</param>
/// <param name="Alarms">Receiving domains that do not want it.</param>
internal sealed record IssueRow(string Slug, IssueFile? File, string Readiness, Mailing? Mailing, Balance? Balance, IReadOnlyList<DomainAlarm> Alarms)
{
    /// <summary>Whether it can be resumed: it is paused, or leaves a domain or a relay alone.</summary>
    /// <param name="hasRelaysAside">Whether relays are set aside.</param>
    public bool CanResume(bool hasRelaysAside) => Mailing?.State == MailingState.Paused || (Mailing?.State == MailingState.Sending && (hasRelaysAside || Alarms.Any(alarm => alarm.StoppedAt is not null)));

    /// <summary>The title it was published with, or null.</summary>
    public string? PublishedTitle { get; init; }

    /// <summary>What became of its file since it was published.</summary>
    public FileChange Change { get; init; }

    /// <summary>The title, or what stands for it: once it is published, the one that subscribers see.</summary>
    public string Title => PublishedTitle ?? File?.Issue?.Title ?? Slug;

    /// <summary>Whether there is something to preview: what goes out, else its file.</summary>
    public bool CanPreview => Mailing is { IsOver: false } || File is { IsValid: true };

    /// <summary>Whether it can be published now. One of a later date can: pressing Send is a decision. A draft cannot.</summary>
    public bool CanSend => Mailing is null && File is { IsValid: true, Issue.Draft: false };
}

/// <summary>The issues of one page, and how many there are.</summary>
/// <param name="Rows">The page, in the order of <see cref="IssueOverview.ReadAsync"/>.</param>
/// <param name="Total">Issues in all.</param>
/// <param name="CanPreview">Whether the editor's address is set.</param>
/// <param name="Aside">Relays that are set aside.</param>
/// <param name="Coming">What the schedule's next time would send, as things stand; null for nothing.</param>
/// <param name="Trouble">Why the ledger cannot be written at the moment, or null.</param>
internal sealed record IssueList(IReadOnlyList<IssueRow> Rows, int Total, bool CanPreview, IReadOnlyList<RelayAside> Aside, string? Coming, LedgerTrouble? Trouble);

/// <summary>Who an issue would go to.</summary>
/// <param name="Lists">The lists, as the database has them.</param>
/// <param name="Changed">Their files that changed since they were read, and can be; sending reads them first.</param>
/// <param name="Problems">Files of lists that cannot be used; while there are any, the issue cannot be sent.</param>
internal sealed record IssueAudience(IReadOnlyList<ListSummary> Lists, IReadOnlyList<ChangedListFile> Changed, IReadOnlyList<string> Problems)
{
    /// <summary>How many get it: so many, or up to so many.</summary>
    public long Members => Lists.Sum(list => list.Active) + Changed.Sum(file => file.Rows);

    /// <summary>Whether somebody may be counted more than once: on several lists, or on a list and in its changed file.</summary>
    public bool IsUpTo => Lists.Count > 1 || Changed.Count > 0;
}

/// <summary>Reads what the page Issues shows: the folder, the mailings, the lists.</summary>
/// <param name="library">The issues folder.</param>
/// <param name="mailings">The mailings.</param>
/// <param name="changes">Tells what became of published issues.</param>
/// <param name="folder">The subscribers folder.</param>
/// <param name="subscribers">The lists.</param>
/// <param name="candidates">Knows the date.</param>
/// <param name="newsletter">Knows the editor.</param>
/// <param name="relays">Knows the relays.</param>
/// <param name="engine">Knows whether the ledger can be written.</param>
internal sealed class IssueOverview(
    IssueLibrary library, IMailingStore mailings, FileChanges changes, SyncLists folder, ISubscriberStore subscribers, Candidates candidates, Newsletter newsletter,
    RelaysAside relays, DeliveryEngine engine)
{
    private const int MostAlarms = 5;

    /// <summary>A page of the issues: those that are published and not over, then the others, each newest first. Balances are counted for this page only: a count over a million rows takes its time.</summary>
    /// <param name="skip">Issues of earlier pages.</param>
    /// <param name="take">Issues of this one.</param>
    /// <param name="schedule">The schedule, or null.</param>
    /// <param name="cancel">Stops the reading.</param>
    public async Task<IssueList> ReadAsync(int skip, int take, ScheduleState? schedule, CancellationToken cancel)
    {
        var files = library.All();
        var begun = await mailings.ListAsync(cancel);
        var published = begun.ToDictionary(mailing => mailing.Issue.Value);
        var known = files.Select(file => file.Slug).ToHashSet();
        var gone = published.Values.Where(mailing => !known.Contains(mailing.Issue.Value)).OrderByDescending(mailing => mailing.Id);
        var all = files.Reverse().Select(file => (file.Slug, File: (IssueFile?)file)).Concat(gone.Select(mailing => (Slug: mailing.Issue.Value, File: (IssueFile?)null)))
            .OrderByDescending(issue => published.GetValueOrDefault(issue.Slug) is { IsOver: false }).ToList();
        var today = await candidates.ShownTodayAsync(cancel);
        var rows = new List<IssueRow>();
        foreach (var (slug, file) in all.Skip(skip).Take(take)) rows.Add(await RowAsync(slug, file, published.GetValueOrDefault(slug), today, cancel));
        var coming = schedule is { Next: { } next } ? Candidates.ReadyOn(files, begun, WeeklySchedule.Day(WeeklySchedule.Zone(schedule.Schedule), next))?.Slug : null;
        return new IssueList(rows, all.Count, newsletter.Editor is not null, await relays.ReadAsync(cancel), coming, engine.Trouble);
    }

    /// <summary>How many of an issue's failed deliveries would be tried again.</summary>
    public async Task<long> RetriableAsync(IssueRow row, CancellationToken cancel) => row.Mailing is { } mailing ? await mailings.RetriableAsync(mailing.Id, cancel) : 0;

    /// <summary>One issue, or null when there is none.</summary>
    public async Task<IssueRow?> FindAsync(string slug, CancellationToken cancel)
    {
        var file = library.All().FirstOrDefault(file => file.Slug == slug);
        var mailing = IssueSlug.TryParse(slug, out var valid) ? await mailings.FindAsync(valid, cancel) : null;
        return file is null && mailing is null ? null : await RowAsync(slug, file, mailing, await candidates.ShownTodayAsync(cancel), cancel);
    }

    /// <summary>The lists an issue goes to when it is sent now, the subscribers folder read anew as sending does. A member of several gets it once.</summary>
    public async Task<IssueAudience> AudienceAsync(IssueFile file, CancellationToken cancel)
    {
        var wanted = file.Issue is { } issue ? WantedLists.Of(issue) : WantedLists.Every;
        // Imports nothing: a browser may load the page before anybody wants it.
        var files = await folder.ChangedAsync(wanted, cancel);
        var lists = await subscribers.ListsAsync(cancel);
        return new IssueAudience(
            [.. lists.Where(list => wanted.Include(list.Name))],
            [.. files.Where(file => file.Refusal is null)],
            [.. files.Where(file => file.Refusal is not null).Select(file => $"{Path.GetFileName(file.Path)} cannot be used. {file.Refusal}")]);
    }

    private async Task<IssueRow> RowAsync(string slug, IssueFile? file, Mailing? mailing, DateOnly today, CancellationToken cancel)
        => mailing is null
            ? new IssueRow(slug, file, Readiness(file, today), null, null, [])
            : new IssueRow(slug, file, Readiness(file, today), mailing, await mailings.BalanceAsync(mailing.Id, cancel), await mailings.AlarmsAsync(mailing.Id, MostAlarms, cancel))
            {
                PublishedTitle = await changes.TitleAsync(mailing, cancel),
                Change = await changes.OfAsync(mailing, file, cancel),
            };

    private static string Readiness(IssueFile? file, DateOnly today) => file switch
    {
        null => "file is gone",
        { IsValid: false } => "invalid",
        { Issue.Draft: true } => "draft",
        _ when !file.Issue!.IsReady(today) => "later",
        _ => "ready",
    };
}
