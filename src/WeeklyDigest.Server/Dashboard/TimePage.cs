using System.Globalization;
using System.Text.RegularExpressions;
using Hangfire.Dashboard;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Server.Commands;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>What came of asking for another time.</summary>
/// <param name="Words">What was done, or why nothing was.</param>
/// <param name="IsDone">Whether it has the time that was asked for.</param>
internal sealed record TimeAnswer(string Words, bool IsDone);

/// <summary>The page that gives a mailing another time before it begins.</summary>
/// <param name="overview">The issues with their mailings.</param>
/// <param name="reschedule">Gives the time.</param>
/// <param name="schedules">The zone of times is that of the schedule.</param>
/// <param name="configured">What the settings say of it.</param>
/// <param name="time">The clock.</param>
internal sealed class TimePage(IssueOverview overview, RescheduleIssue reschedule, IScheduleStore schedules, ScheduleSettings configured, TimeProvider time)
{
    /// <summary>Gives a mailing the time that was written, to the end: a browser that is closed does not stop it half way.</summary>
    private async Task<TimeAnswer> ChangeAsync(IssueRow row, string written, TimeZoneInfo zone)
    {
        try
        {
            var at = SendTime.Parse(written, zone, time.GetUtcNow());
            if (at == row.Mailing!.ScheduledAt) return new TimeAnswer("It has that time already.", IsDone: true);
            if (row.File is null) throw new RefusedException("Its file is gone from the issues folder, and without it the e-mail cannot be made for another time.");
            var result = await reschedule.RunAsync(row.File, row.Mailing, at, CancellationToken.None);
            var renewed = result.ContentIsNew ? $" The issue {FileWords.HasChanged}; it goes out as it is now." : "";
            return new TimeAnswer($"It starts on {Words(result.At, zone)} instead of {Words(result.Before, zone)}.{renewed}", IsDone: true);
        }
        catch (Exception refusal) when (refusal is RefusedException or TemplateException or IOException or UnauthorizedAccessException)
        {
            return new TimeAnswer(refusal.Message, IsDone: false);
        }
    }

    /// <summary>A time on the clocks of a zone.</summary>
    public static string Words(DateTimeOffset at, TimeZoneInfo zone)
        => TimeZoneInfo.ConvertTime(at, zone).ToString("d MMMM yyyy HH:mm", CultureInfo.InvariantCulture) + $" ({zone.Id})";

    /// <summary>The page and what its form does, within the dashboard.</summary>
    public static Task<DashboardPage?> DispatchAsync(DashboardContext context, Match match)
        => context.GetHttpContext().RequestServices.GetRequiredService<TimePage>().AnswerAsync(context, match.Groups["slug"].Value);

    private async Task<DashboardPage?> AnswerAsync(DashboardContext context, string slug)
    {
        var cancel = context.GetHttpContext().RequestAborted;
        if (await overview.FindAsync(slug, cancel) is not { Mailing: not null } row) return null;
        var zone = await WeeklySchedule.ShownZoneAsync(schedules, configured, cancel);
        if (!HttpMethods.IsPost(context.Request.Method)) return Page(row, zone, null, null);
        var written = await DashboardPage.FieldAsync(context, "at");
        var answer = await ChangeAsync(row, written, zone);
        return Page(await overview.FindAsync(slug, cancel) ?? row, zone, answer.IsDone ? null : written, answer);
    }

    private static DashboardPage Page(IssueRow row, TimeZoneInfo zone, string? written, TimeAnswer? answer)
        => new("Time of " + row.Slug, page => TimeView.Form(page, row, zone, written, answer));
}
