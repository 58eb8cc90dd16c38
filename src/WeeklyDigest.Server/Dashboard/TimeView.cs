using System.Globalization;
using Hangfire.Dashboard;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>The form that gives a mailing another time.</summary>
internal static class TimeView
{
    /// <summary>The page's content.</summary>
    /// <param name="page">The page it is on.</param>
    /// <param name="row">The issue, with its mailing.</param>
    /// <param name="zone">The zone of what is told and written.</param>
    /// <param name="written">What the field holds; null: the time it has.</param>
    /// <param name="answer">What came of what was written before, or null.</param>
    public static Html Form(RazorPage page, IssueRow row, TimeZoneInfo zone, string? written, TimeAnswer? answer)
        => QuestionView.Frame(page, row.Slug, $"When does {row.Slug} go out?", Html.Of(
            $"""
            {Html.When(answer is not null, () => Answer(answer!))}
            {(row.Mailing is { CanBeRescheduled: true, ScheduledAt: { } at } mailing
                ? Ask(page, row, TimePage.Words(at, zone), mailing.State == MailingState.Paused, zone, written ?? Local(at, zone))
                : Html.Of($"<p>It is {row.Mailing!.State.ToString().ToLowerInvariant()}: only a mailing that has not begun can be given another time.</p>"))}
            """));

    private static Html Answer(TimeAnswer answer)
        => Html.Of($"<div class=\"alert {(answer.IsDone ? "alert-success" : "alert-danger")} wd-note\" role=\"{(answer.IsDone ? "status" : "alert")}\">{answer.Words}</div>");

    private static Html Ask(RazorPage page, IssueRow row, string now, bool isPaused, TimeZoneInfo zone, string value) => Html.Of(
        $"""
        <p>Its time is <strong>{now}</strong>; {row.Balance!.Total.ToString("N0", CultureInfo.InvariantCulture)} {(row.Balance.Total == 1 ? "subscriber" : "subscribers")} will get it.{Html.When(isPaused, () => Html.Of($" It is paused, and stays so until it is resumed."))}</p>
        <form class="wd-form" method="post" action="{page.Url.To($"/issues/{Uri.EscapeDataString(row.Slug)}/time")}">
        <input type="hidden" name="__RequestVerificationToken" value="{page.Context.AntiforgeryToken}">
        <p><label for="wd-at">Another time</label><input class="form-control" id="wd-at" name="at" type="datetime-local" value="{value}" required aria-describedby="wd-at-help">
        <span id="wd-at-help">In {zone.Id}. The issue goes out as its file is when the time is changed; who gets it stays.</span></p>
        <p><button class="btn btn-primary">Change the time</button></p>
        </form>
        """);

    private static string Local(DateTimeOffset at, TimeZoneInfo zone)
        => TimeZoneInfo.ConvertTime(at, zone).ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);
}
