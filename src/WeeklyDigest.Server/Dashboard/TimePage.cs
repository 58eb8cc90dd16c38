using System.Globalization;
using System.Text.RegularExpressions;
using Hangfire.Dashboard;
using WeeklyDigest.Publishing;
using WeeklyDigest.Rendering;
using WeeklyDigest.Server.Commands;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>What came of asking for another time.</summary>
/// <param name="Words">What was done, or why nothing was.</param>
/// <param name="IsDone">Whether it has the time that was asked for.</param>
internal sealed record TimeAnswer(string Words, bool IsDone);

/// <summary>The page that gives a mailing another time before it begins.</summary>
/// <param name="overview">The issues with their mailings.</param>
/// <param name="reschedule">Gives the time.</param>
/// <param name="time">The clock; its local time is the newsletter's.</param>
internal sealed class TimePage(IssueOverview overview, RescheduleIssue reschedule, TimeProvider time)
{
    /// <summary>Gives a mailing the time that was written, to the end: a browser that is closed does not stop it half way.</summary>
    public async Task<TimeAnswer> ChangeAsync(IssueRow row, string written)
    {
        try
        {
            var at = SendTime.Parse(written, time.LocalTimeZone, time.GetUtcNow());
            if (at == row.Mailing!.ScheduledAt) return new TimeAnswer("It has that time already.", IsDone: true);
            if (row.File is null) throw new RefusedException("Its file is gone from the issues folder, and without it the e-mail cannot be made for another time.");
            var result = await reschedule.RunAsync(row.File, row.Mailing, at, CancellationToken.None);
            var renewed = result.ContentIsNew ? " The issue has changed since it was published; it goes out as it is now." : "";
            return new TimeAnswer($"It starts on {Words(result.At)} instead of {Words(result.Before)}.{renewed}", IsDone: true);
        }
        catch (Exception refusal) when (refusal is RefusedException or TemplateException)
        {
            return new TimeAnswer(refusal.Message, IsDone: false);
        }
    }

    /// <summary>A time as the newsletter's readers have it.</summary>
    public string Words(DateTimeOffset at)
        => TimeZoneInfo.ConvertTime(at, time.LocalTimeZone).ToString("d MMMM yyyy HH:mm", CultureInfo.InvariantCulture) + $" ({time.LocalTimeZone.Id})";

    /// <summary>The page and what its form does, within the dashboard.</summary>
    public static Task<DashboardPage?> DispatchAsync(DashboardContext context, Match match)
        => context.GetHttpContext().RequestServices.GetRequiredService<TimePage>().AnswerAsync(context, match.Groups["slug"].Value);

    private async Task<DashboardPage?> AnswerAsync(DashboardContext context, string slug)
    {
        var cancel = context.GetHttpContext().RequestAborted;
        if (await overview.FindAsync(slug, cancel) is not { Mailing: not null } row) return null;
        if (!HttpMethods.IsPost(context.Request.Method)) return Page(row, null, null);
        var written = await DashboardPage.FieldAsync(context, "at");
        var answer = await ChangeAsync(row, written);
        return Page(await overview.FindAsync(slug, cancel) ?? row, answer.IsDone ? null : written, answer);
    }

    private DashboardPage Page(IssueRow row, string? written, TimeAnswer? answer)
        => new("Time of " + row.Slug, page => TimeView.Form(page, row, Words, time.LocalTimeZone, written, answer));
}
