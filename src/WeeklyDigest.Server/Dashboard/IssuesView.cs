using System.Globalization;
using Hangfire.Dashboard;
using WeeklyDigest.Issues;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Commands;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>The page Issues: every issue with its date, its readiness, its mailing, and what can be done with it.</summary>
internal static class IssuesView
{
    /// <summary>The page's content.</summary>
    public static Html List(RazorPage page, IssueList list, ScheduleState? schedule, Pager pager) => Html.Of(
        $"""
        <h1 class="page-header">Issues</h1>
        {Html.When(schedule is not null, () => ScheduleView.Line(page, schedule!, list.Coming))}
        {Html.When(list.Total == 0, () => Html.Of($"<div class=\"alert alert-info\">The issues folder is empty. An issue is a Markdown file in it.</div>"))}
        {Html.When(!list.CanPreview, () => Html.Of($"<div class=\"alert alert-warning\">Previews need your address: set Newsletter:Editor.</div>"))}
        {Html.When(list.Trouble is not null, () => Html.Of($"<div class=\"alert alert-danger\" role=\"alert\">{LedgerWords.Describe(list.Trouble!)}</div>"))}
        {list.Aside.Select(relay => Html.Of($"<div class=\"alert alert-danger\">{Capital(RelaysAside.Describe(relay))}</div>"))}
        <div class="wd-issues">
        {list.Rows.Select(row => Row(page, row, list))}
        </div>
        {Html.When(pager.TotalPageCount > 1, () => Html.Trusted(page.Html.Paginator(pager).ToString()))}
        """);

    private static Html Row(RazorPage page, IssueRow row, IssueList list) => Html.Of(
        $"""
        <article class="wd-issue" aria-label="{row.Slug}">
        <div class="wd-what">
        <h2>{row.Title}</h2>
        <p>{Label(row)} <code>{row.Slug}</code>{Html.When(row.File?.Issue?.Date is not null, () => Html.Of($" <span class=\"wd-date\">{Date(row.File!.Issue!.Date!.Value)}</span>"))}</p>
        {Html.When(row.Balance is not null, () => Html.Of($"<p class=\"wd-state\">{BalanceTable.Line(row.Balance!)}{Times(row.Mailing!)}</p>"))}
        {Html.When(row.Mailing?.StateReason is not null, () => Html.Of($"<p class=\"wd-reason\">{row.Mailing!.StateReason}</p>"))}
        {Html.When(row.Change != FileChange.None, () => Html.Of($"<p class=\"wd-reason\">{FileWords.OnDashboard(row.Mailing!, row.Change)}</p>"))}
        {Html.When(row.Alarms.Count > 0, () => Alarms(row))}
        {Html.When(row.File is { Findings.Count: > 0 }, () => Findings(row.File!))}
        </div>
        <div class="wd-buttons">{Buttons(page, row, list)}</div>
        </article>
        """);

    private static Html Label(IssueRow row)
    {
        var (text, tone) = row.Mailing?.State switch
        {
            MailingState.Sent => ("sent", "good"),
            MailingState.Sending => ("sending", "busy"),
            MailingState.Paused => ("paused", "warn"),
            MailingState.Cancelled => ("cancelled", "plain"),
            MailingState.Scheduled => ("scheduled", "busy"),
            _ => (row.Readiness, row.Readiness switch { "ready" => "busy", "invalid" => "bad", _ => "plain" }),
        };
        return Html.Of($"<span class=\"wd-label wd-{tone}\">{text}</span>");
    }

    private static string Times(Mailing mailing) => mailing switch
    {
        { FinishedAt: { } end } => ", finished " + Time(end),
        { State: MailingState.Scheduled, ScheduledAt: { } start } => ", starts " + Time(start),
        { CanBeRescheduled: true, ScheduledAt: { } start } => ", its time is " + Time(start),
        { StartedAt: { } start } => ", started " + Time(start),
        _ => "",
    };

    private static Html Alarms(IssueRow row) => Html.Of(
        $"""
        <ul class="wd-findings" aria-label="Alarms">
        {row.Alarms.Select(alarm => Html.Of($"<li class=\"wd-error\">alarm: {BalanceView.Describe(row.Mailing!, alarm)}</li>"))}
        </ul>
        """);

    private static Html Findings(IssueFile file) => Html.Of(
        $"""
        <ul class="wd-findings">
        {file.Findings.Select(finding => Html.Of($"<li class=\"wd-{Name(finding.Severity)}\"><code>{finding.Line}:{finding.Column}</code> {Name(finding.Severity)}: {finding.Message}</li>"))}
        </ul>
        """);

    private static Html Buttons(RazorPage page, IssueRow row, IssueList list)
    {
        var path = "/issues/" + Uri.EscapeDataString(row.Slug);
        var buttons = new List<Html>();
        if (list.CanPreview && row.CanPreview) buttons.Add(Post("preview", "Preview", "btn-default"));
        if (row.CanSend) buttons.Add(Link("send", "Send…", "btn-primary"));
        if (row.Mailing?.State is MailingState.Sending or MailingState.Scheduled) buttons.Add(Post("pause", "Pause", "btn-default"));
        if (row.Mailing is { CanBeRescheduled: true }) buttons.Add(Link("time", "Change time…", "btn-default"));
        if (row.CanResume(list.Aside.Any(aside => aside.Kind != RelayAsideKind.Down))) buttons.Add(Post("resume", "Resume", "btn-primary"));
        if (row.Mailing?.State is MailingState.Sending or MailingState.Scheduled or MailingState.Paused) buttons.Add(Link("cancel", "Cancel…", "btn-default"));
        if (row.Balance is { Uncertain: > 0 }) buttons.Add(Link("resolve", "Resolve uncertain…", "btn-default"));
        if (row is { Balance.Failed: > 0, Mailing.State: not MailingState.Cancelled }) buttons.Add(Link("retry", "Retry failed…", "btn-default"));
        return Html.Join(buttons);

        Html Post(string action, string label, string style) => DashboardPage.PostButton(page, $"{path}/do/{action}", label, style, $"{label} {row.Slug}");
        Html Link(string action, string label, string style)
            => Html.Of($"<a class=\"btn btn-sm {style}\" href=\"{page.Url.To($"{path}/{action}")}\" aria-label=\"{label.TrimEnd('…')} {row.Slug}\">{label}</a>");
    }

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static string Name(Severity severity) => severity.ToString().ToLowerInvariant();

    private static string Date(DateOnly date) => date.ToString("d MMMM yyyy", CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset time) => time.ToString("d MMM yyyy HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
