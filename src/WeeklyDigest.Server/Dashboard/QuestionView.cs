using System.Globalization;
using Hangfire.Dashboard;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>The questions before something that cannot be called back.</summary>
internal static class QuestionView
{
    /// <summary>Before an issue is sent.</summary>
    public static Html Send(RazorPage page, IssueRow row, IssueAudience audience) => Frame(page, row.Slug, $"Send {row.Slug}?", audience switch
    {
        _ when !row.CanSend => Html.Of($"<p>{Obstacle(row)}</p>"),
        { Problems.Count: > 0 } => Html.Of(
            $"""
            <p>It cannot be sent: who is on these lists would be left out.</p>
            <ul>{Html.Join(audience.Problems.Select(problem => Html.Of($"<li>{problem}</li>")))}</ul>
            <p>Mend them, or move a file that is no list out of the subscribers folder, and load this page again.</p>
            """),
        _ when audience.Members == 0 => Html.Of($"<p>No subscriber is on its lists: put a CSV file into the subscribers folder first.</p>"),
        _ => Ask(page, row, audience),
    });

    /// <summary>Before a mailing is cancelled.</summary>
    public static Html Cancel(RazorPage page, IssueRow row) => Frame(page, row.Slug, $"Cancel {row.Slug}?", row.Mailing switch
    {
        null => Html.Of($"<p>This issue has not been published; there is nothing to cancel.</p>"),
        { State: var state } mailing when !EditorsChange.Cancel.From.Contains(state) => Html.Of($"<p>{EditorsChange.Cancel.Refusal(mailing.Issue, state).Message}</p>"),
        _ => Html.Of(
            $"""
            <p>{Number(row.Balance!.Open)} of {Number(row.Balance.Total)} have not got it yet, and never will: a cancelled mailing cannot be resumed.</p>
            {DashboardPage.PostButton(page, $"/issues/{Uri.EscapeDataString(row.Slug)}/do/cancel", "Cancel the mailing", "btn-danger", $"Cancel the mailing of {row.Slug}")}
            """),
    });

    /// <summary>The frame of a question.</summary>
    public static Html Frame(RazorPage page, string slug, string heading, Html body) => Html.Of(
        $"""
        <h1 class="page-header">{heading}</h1>
        <div class="wd-question" role="group" aria-label="{slug}">
        {body}
        <p><a href="{page.Url.To("/issues")}">Back to the issues</a></p>
        </div>
        """);

    private static Html Ask(RazorPage page, IssueRow row, IssueAudience audience) => Html.Of(
        $"""
        <p>{People(audience)} will get <strong><bdi>{row.Title}</bdi></strong>{Reservation(row)}</p>
        <p>Lists: {Lists(audience)}</p>
        {Html.Join(audience.Changed.Select(file => Html.Of($"<p>{Path.GetFileName(file.Path)} is new or has changed, and is read first: whoever it adds ({Number(file.Rows)} at most) gets the issue as well.</p>")))}
        {DashboardPage.PostButton(page, $"/issues/{Uri.EscapeDataString(row.Slug)}/do/send", "Send to " + Count(audience), "btn-primary", "Send to " + Count(audience))}
        """);

    private static string Lists(IssueAudience audience)
    {
        var begun = audience.Changed.Select(file => file.List!).Except(audience.Lists.Select(list => list.Name));
        return string.Join(", ", audience.Lists.Select(list => $"{list.Name} ({Number(list.Active)})").Concat(begun.Select(name => $"{name} (new)")));
    }

    private static string Obstacle(IssueRow row) => row switch
    {
        { Mailing: not null } => "This issue has been published already.",
        { Readiness: "draft" } => "This issue is a draft: remove draft: true from its front matter first.",
        _ => "This issue has errors; they have to be mended first.",
    };

    private static string Reservation(IssueRow row) => row.Readiness == "later"
        ? $", although its date, {row.File!.Issue!.Date!.Value.ToString("d MMMM yyyy", CultureInfo.InvariantCulture)}, has not come."
        : ".";

    private static Html People(IssueAudience audience) => Html.Of($"<strong>{Count(audience)}</strong>{(audience.Lists.Count > 1 ? " (who is on several lists gets it once)" : "")}");

    private static string Count(IssueAudience audience)
        => (audience.IsUpTo ? "up to " : "") + Number(audience.Members) + (audience.Members == 1 ? " subscriber" : " subscribers");

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
