using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Jobs;

/// <summary>Reads the issues folder for the jobs that choose by themselves.</summary>
/// <param name="library">The issues folder.</param>
/// <param name="schedules">The time zone of the schedule that holds says which day it is.</param>
/// <param name="configured">That of the settings does while there is none.</param>
/// <param name="time">The clock.</param>
internal sealed class Candidates(IssueLibrary library, IScheduleStore schedules, ScheduleSettings configured, TimeProvider time)
{
    /// <summary>The date in the schedule's time zone.</summary>
    public async Task<DateOnly> TodayAsync(CancellationToken cancel)
        => WeeklySchedule.Day(await schedules.FindAsync(cancel) is { } schedule ? WeeklySchedule.Zone(schedule) : configured.TimeZone, time.GetUtcNow());

    /// <summary>The date for a page: as above, and that of the settings' time zone where this machine does not know the schedule's.</summary>
    public async Task<DateOnly> ShownTodayAsync(CancellationToken cancel)
        => WeeklySchedule.Day(await schedules.FindAsync(cancel) is { } schedule && WeeklySchedule.FindZone(schedule) is { } zone ? zone : configured.TimeZone, time.GetUtcNow());

    /// <summary>The issue the weekly job would send, or null when none is ready.</summary>
    /// <param name="all">All mailings.</param>
    /// <param name="page">Where broken files are noted.</param>
    /// <param name="cancel">Stops the reading.</param>
    /// <exception cref="RefusedException">None is ready, and some have errors: the message lists them.</exception>
    public async Task<string?> NextAsync(IReadOnlyList<Mailing> all, JobPage page, CancellationToken cancel)
    {
        var files = library.All();
        var next = NextIssue.Choose(files, Published(files, all), await TodayAsync(cancel));
        if (next.File is null && next.Broken.Count > 0)
            throw new RefusedException("No issue is ready; these have errors:\n" + string.Join('\n', next.Broken.Select(NextIssue.ErrorsOf)) + "\nNothing was sent.");
        foreach (var broken in next.Broken) page.Note("Left out, since it has errors:\n" + NextIssue.ErrorsOf(broken));
        foreach (var file in files)
            if (PublishedAs(file, all) is { } other) page.Note($"Left out: {Path.GetFileName(file.Path)} has the same content as {other.Issue}, which was published.");
        return next.File?.Slug;
    }

    /// <summary>The issue to preview: the one the weekly job would send next, else the newest.</summary>
    public async Task<IssueFile?> ToPreviewAsync(IReadOnlyList<Mailing> all, CancellationToken cancel)
    {
        var files = library.All();
        return ReadyOn(files, all, await TodayAsync(cancel)) ?? files.LastOrDefault(file => file.IsValid) ?? (files.Count > 0 ? files[^1] : null);
    }

    /// <summary>The issue that would be sent on a day, as files and mailings stand now; null when none would be ready.</summary>
    public static IssueFile? ReadyOn(IReadOnlyList<IssueFile> files, IReadOnlyList<Mailing> all, DateOnly day) => NextIssue.Choose(files, Published(files, all), day).File;

    // A file that was renamed or copied would be refused each week, and hold up the issue behind it.
    private static HashSet<string> Published(IReadOnlyList<IssueFile> files, IReadOnlyList<Mailing> all)
        => [.. all.Select(mailing => mailing.Issue.Value), .. files.Where(file => PublishedAs(file, all) is not null).Select(file => file.Slug)];

    private static Mailing? PublishedAs(IssueFile file, IReadOnlyList<Mailing> all)
        => file.Issue is { } issue && all.All(mailing => mailing.Issue != issue.Slug) ? all.FirstOrDefault(mailing => mailing.IsAlso(issue)) : null;
}
