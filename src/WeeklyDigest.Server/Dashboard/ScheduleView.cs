using Hangfire.Dashboard;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>When the newsletter goes out by itself, and what became of the last time.</summary>
internal static class ScheduleView
{
    /// <summary>A line for the page Issues, and an alarm when the last time sent nothing that it should have.</summary>
    /// <param name="page">The page it is on.</param>
    /// <param name="state">The schedule that holds.</param>
    /// <param name="coming">The issue that its next time would send, or null.</param>
    public static Html Line(RazorPage page, ScheduleState state, string? coming) => Html.Of(
        $"""
        {Html.When(state.Last is { State: OccurrenceState.Missed or OccurrenceState.Refused }, () => Alarm(state))}
        <p class="wd-schedule">{Words(state)}{Html.When(state is { Schedule.IsOn: true, Next: not null }, () => Coming(coming))}{NothingReady(state)} <a href="{page.Url.To("/schedule")}">Change…</a></p>
        """);

    /// <summary>The form that changes it.</summary>
    /// <param name="page">The page it is on.</param>
    /// <param name="state">The schedule that holds.</param>
    /// <param name="written">What the fields hold.</param>
    /// <param name="problems">What is wrong with it.</param>
    public static Html Form(RazorPage page, ScheduleState state, Schedule written, IReadOnlyList<string> problems) => Html.Of(
        $"""
        <h1 class="page-header">Schedule</h1>
        {Html.When(problems.Count > 0, () => Html.Of($"<div class=\"alert alert-danger\" role=\"alert\"><ul>{problems.Select(problem => Html.Of($"<li>{problem}</li>"))}</ul>Nothing was changed.</div>"))}
        <p class="wd-schedule">{Words(state)}</p>
        <form class="wd-form" method="post" action="{page.Url.To("/schedule")}">
        <input type="hidden" name="__RequestVerificationToken" value="{page.Context.AntiforgeryToken}">
        <p><label for="wd-cron">When</label><input class="form-control" id="wd-cron" name="cron" value="{written.Cron}" maxlength="100" autocomplete="off" aria-describedby="wd-cron-help">
        <span id="wd-cron-help">Minute, hour, day of month, month, day of week: <code>0 9 * * 1</code> is Mondays at 9:00.</span></p>
        <p><label for="wd-zone">Time zone</label><input class="form-control" id="wd-zone" name="zone" value="{written.TimeZone}" maxlength="100" autocomplete="off" aria-describedby="wd-zone-help">
        <span id="wd-zone-help">Such as <code>Europe/Berlin</code> or <code>UTC</code>; summer time is minded.</span></p>
        <p><label class="wd-check"><input type="checkbox" name="on" value="on"{Html.When(written.IsOn, () => Html.Trusted(" checked"))}> Send the oldest issue that is ready at these times</label></p>
        <p><button class="btn btn-primary">Save</button></p>
        </form>
        <p>A change holds from now on, also after a restart, until Newsletter:Schedule in the settings is changed.</p>
        <p><a href="{page.Url.To("/issues")}">Back to the issues</a></p>
        """);

    private static string Words(ScheduleState state) => state switch
    {
        { Schedule.IsOn: false } => "Nothing is sent by itself: the schedule is off.",
        { KnowsZone: false } => $"This machine does not know the time zone {state.Schedule.TimeZone}, and sends nothing by itself. Install the time zones of its system (tzdata), or change the schedule.",
        { Next: { } next } => $"The next issue that is ready goes out by itself on {WeeklySchedule.Words(state.Schedule, next)}.",
        _ => "Nothing is sent by itself: the schedule has no time to come.",
    };

    private static Html Coming(string? issue) => issue is null
        ? Html.Of($" None will be ready by then, as things stand.")
        : Html.Of($" As things stand that is <strong>{issue}</strong>.");

    private static string NothingReady(ScheduleState state) => state.Last is { State: OccurrenceState.Done, Issue: null } last
        ? $" No issue was ready on {WeeklySchedule.Words(state.Schedule, last.DueAt)}; nothing was sent."
        : "";

    private static Html Alarm(ScheduleState state) => Html.Of(
        $"""
        <div class="alert alert-danger" role="alert">Nothing was sent on {WeeklySchedule.Words(state.Schedule, state.Last!.DueAt)}: <span class="wd-note">{state.Last.Note}</span> If the issue is still wanted, send it from here.</div>
        """);
}
