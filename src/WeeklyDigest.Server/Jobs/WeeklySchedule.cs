using System.Globalization;
using Cronos;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Jobs;

/// <summary>
/// Knows which times of the schedule have come. The ledger's database holds the schedule and each time that came, so that a restart, a second
/// node, a requeue and a clock that is set back find what was done; who calls this, and how often, makes no difference.
/// </summary>
/// <param name="store">The schedule.</param>
/// <param name="settings">What is configured.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
internal sealed class WeeklySchedule(IScheduleStore store, ScheduleSettings settings, TimeProvider time, ILogger<WeeklySchedule> log)
{
    /// <summary>A time that passed while no server was on is made good for so long; later nothing is sent by itself, and there is an alarm.</summary>
    public static readonly TimeSpan CatchUp = TimeSpan.FromHours(12);

    // A clock that runs ahead of the one that wrote the row, on another node.
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Takes over what is configured, if that changed, and tells what holds. A time of the schedule before that passed while no server was on is not sent
    /// then, since nobody knows whether it is still wanted; there is an alarm. That the schedule before is overturned is said, for it may be another node's.
    /// </summary>
    public async Task<Schedule> AdoptAsync(CancellationToken cancel)
    {
        // Noted first: dying before it is adopted, the next start finds it noted, and takes it back with the schedule it is of.
        var before = await store.FindAsync(cancel);
        var passed = before is { IsOn: true } ? await NoteLatestAsync(before, cancel) : null;
        var current = await store.AdoptAsync(settings.Cron, settings.TimeZone.Id, Now, cancel);
        if (passed is { } dueAt && !IsLate(dueAt) && await store.FindAsync(dueAt, cancel) is { State: OccurrenceState.Missed } takenBack) Alarm(takenBack);
        if (before is not null && IsConfigured(current) && Name(current) != Name(before))
            log.LogWarning("The schedule is now {Now}, as Newsletter:Schedule says here; before it was {Before}. All servers on one database need the same Newsletter:Schedule, or each that starts overturns the others'", Name(current), Name(before));
        return current;
    }

    /// <summary>Notes the latest time that has come, and tells what is to be taken up, oldest first.</summary>
    public async Task<IReadOnlyList<Occurrence>> LookAsync(CancellationToken cancel)
    {
        if (await store.FindAsync(cancel) is not { IsOn: true } schedule) return [];
        if (schedule.Since > Now + Skew) await store.ChangeAsync(schedule = schedule with { Since = Now }, cancel);
        // Of several that were slept through, the last one stands for all: a week's issue is not sent twice.
        await NoteLatestAsync(schedule, cancel);
        var due = new List<Occurrence>();
        foreach (var occurrence in await store.DueAsync(cancel))
            if (occurrence.Issue is not null || !await IsTooLateAsync(occurrence, cancel)) due.Add(occurrence);
        return due;
    }

    /// <summary>When a schedule sends next; null when it never does.</summary>
    public static DateTimeOffset? Next(Schedule schedule, DateTimeOffset now)
        => schedule.IsOn ? Parse(schedule).GetNextOccurrence(now, Zone(schedule)) : null;

    /// <summary>Where its clock stands.</summary>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the zone; another node may.</exception>
    public static TimeZoneInfo Zone(Schedule schedule) => TimeZoneInfo.FindSystemTimeZoneById(schedule.TimeZone);

    /// <summary>Where its clock stands, or null when this machine does not know the zone.</summary>
    public static TimeZoneInfo? FindZone(Schedule schedule) => TimeZoneInfo.TryFindSystemTimeZoneById(schedule.TimeZone, out var zone) ? zone : null;

    /// <summary>The zone in which an editor writes a time: that of the schedule an editor gave, else that of the settings, also when no server has taken them over yet.</summary>
    public static async Task<TimeZoneInfo> ZoneAsync(IScheduleStore store, ScheduleSettings settings, CancellationToken cancel)
        => await store.FindAsync(cancel) is { IsTold: true } told ? Zone(told) : settings.TimeZone;

    /// <summary>The zone in which a page writes times, always with its name: that of the settings also where this machine does not know the one an editor gave.</summary>
    public static async Task<TimeZoneInfo> ShownZoneAsync(IScheduleStore store, ScheduleSettings settings, CancellationToken cancel)
        => await store.FindAsync(cancel) is { IsTold: true } told && FindZone(told) is { } zone ? zone : settings.TimeZone;

    /// <summary>The date that a time has there.</summary>
    public static DateOnly Day(TimeZoneInfo zone, DateTimeOffset moment) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(moment, zone).DateTime);

    /// <summary>A time as the schedule has it: on its own clock, and in UTC where this machine does not know that.</summary>
    public static string Words(Schedule schedule, DateTimeOffset moment)
    {
        var (zone, name) = FindZone(schedule) is { } known ? (known, schedule.TimeZone) : (TimeZoneInfo.Utc, "UTC");
        return string.Create(CultureInfo.InvariantCulture, $"{TimeZoneInfo.ConvertTime(moment, zone):dddd, d MMMM yyyy HH:mm} ({name})");
    }

    private static string Name(Schedule schedule) => schedule.IsOn ? $"{schedule.Cron} ({schedule.TimeZone})" : "off";

    private bool IsConfigured(Schedule schedule) => schedule.Cron == settings.Cron && schedule.TimeZone == settings.TimeZone.Id;

    private DateTimeOffset Now => time.GetUtcNow();

    private async Task<DateTimeOffset?> LatestAsync(Schedule schedule, CancellationToken cancel)
    {
        var now = Now;
        var last = await store.LastAsync(now, cancel);
        var after = last is { } noted && noted.DueAt > schedule.Since ? noted.DueAt : schedule.Since;
        // The clock that made the schedule runs a little ahead of this one.
        if (after >= now) return null;
        var latest = Parse(schedule).GetOccurrences(after, now, Zone(schedule), fromInclusive: false, toInclusive: true).LastOrDefault();
        return latest == default ? null : latest.ToUniversalTime();
    }

    private async Task<DateTimeOffset?> NoteLatestAsync(Schedule schedule, CancellationToken cancel)
    {
        if (await LatestAsync(schedule, cancel) is not { } latest) return null;
        await NoteAsync(schedule, latest, cancel);
        return latest;
    }

    private async Task NoteAsync(Schedule schedule, DateTimeOffset dueAt, CancellationToken cancel)
    {
        if (!IsLate(dueAt))
        {
            // Dying after this line: it is due, and whoever looks next takes it up.
            await store.AddAsync(new Occurrence(dueAt, OccurrenceState.Due, null, null), schedule, cancel);
            return;
        }
        var missed = new Occurrence(dueAt, OccurrenceState.Missed, null, $"No server was on within {CatchUp.TotalHours:f0} hours.");
        if (await store.AddAsync(missed, schedule, cancel)) Alarm(missed);
    }

    private async Task<bool> IsTooLateAsync(Occurrence occurrence, CancellationToken cancel)
    {
        if (!IsLate(occurrence.DueAt)) return false;
        var missed = occurrence with { Note = $"It was not taken up within {CatchUp.TotalHours:f0} hours." };
        await store.CloseAsync(missed.DueAt, OccurrenceState.Missed, missed.Note, cancel);
        Alarm(missed);
        return true;
    }

    private bool IsLate(DateTimeOffset dueAt) => Now - dueAt > CatchUp;

    private void Alarm(Occurrence missed)
        => log.LogError("The issue of {DueAt:yyyy-MM-dd HH:mm} UTC was not sent. {Note} Send it from the page Issues if it is still wanted", missed.DueAt, missed.Note);

    private static CronExpression Parse(Schedule schedule) => CronExpression.Parse(schedule.Cron);
}
