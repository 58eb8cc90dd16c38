using Hangfire.Dashboard;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>What the dashboard shows of the schedule.</summary>
/// <param name="Schedule">The schedule that holds.</param>
/// <param name="Next">When it sends next; null when it never does, and when this machine cannot tell.</param>
/// <param name="Last">The time that came last, or null.</param>
internal sealed record ScheduleState(Schedule Schedule, DateTimeOffset? Next, Occurrence? Last)
{
    /// <summary>Whether this machine knows its time zone; another node may, and sends.</summary>
    public bool KnowsZone => WeeklySchedule.FindZone(Schedule) is not null;
}

/// <summary>Reads and changes the schedule for the dashboard.</summary>
/// <param name="schedules">The schedule.</param>
/// <param name="jobs">Hangfire shows its times.</param>
/// <param name="time">The clock.</param>
internal sealed class SchedulePage(IScheduleStore schedules, RecurringJobs jobs, TimeProvider time)
{
    /// <summary>The schedule as it stands, or null before a server that runs jobs was started.</summary>
    public async Task<ScheduleState?> ReadAsync(CancellationToken cancel)
    {
        if (await schedules.FindAsync(cancel) is not { } schedule) return null;
        var now = time.GetUtcNow();
        return new ScheduleState(schedule, WeeklySchedule.FindZone(schedule) is null ? null : WeeklySchedule.Next(schedule, now), await schedules.LastAsync(now, cancel));
    }

    /// <summary>Changes it from now on, unless what was written is no schedule.</summary>
    /// <returns>What is wrong, all of it; nothing when it was changed.</returns>
    public async Task<IReadOnlyList<string>> ChangeAsync(string cron, string timeZone, bool isOn, CancellationToken cancel)
    {
        List<string> problems = [];
        if (ScheduleSettings.ProblemOfCron(cron) is { } ofCron) problems.Add($"'{cron}' {ofCron}");
        if (ScheduleSettings.ProblemOfZone(timeZone) is { } ofZone) problems.Add($"'{timeZone}' {ofZone}");
        if (problems.Count > 0) return problems;
        var changed = new Schedule(cron, timeZone, isOn, time.GetUtcNow());
        await schedules.ChangeAsync(changed, cancel);
        await jobs.ShowAsync();
        return [];
    }

    /// <summary>The form's page and what it does, within the dashboard.</summary>
    public static async Task<DashboardPage?> DispatchAsync(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var schedule = http.RequestServices.GetRequiredService<SchedulePage>();
        if (await schedule.ReadAsync(http.RequestAborted) is not { } state) return null;
        if (!HttpMethods.IsPost(context.Request.Method)) return Page(state, state.Schedule, []);
        var written = state.Schedule with
        {
            Cron = await DashboardPage.FieldAsync(context, "cron"), TimeZone = await DashboardPage.FieldAsync(context, "zone"), IsOn = await DashboardPage.FieldAsync(context, "on") == "on",
        };
        var problems = await schedule.ChangeAsync(written.Cron, written.TimeZone, written.IsOn, http.RequestAborted);
        if (problems.Count > 0) return Page(state, written, problems);
        http.Response.Redirect(DashboardSetup.Root + "/issues");
        return null;
    }

    private static DashboardPage Page(ScheduleState state, Schedule written, IReadOnlyList<string> problems)
        => new("Schedule", page => ScheduleView.Form(page, state, written, problems));
}
