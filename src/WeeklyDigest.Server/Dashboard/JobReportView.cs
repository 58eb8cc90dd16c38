using System.Globalization;
using Hangfire.Common;
using Hangfire.Dashboard;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Jobs;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>The report on a job's page: progress while it runs, then the balance and what was decided.</summary>
internal static class JobReportView
{
    /// <summary>The report of a job of ours; nothing for others.</summary>
    public static NonEscapedString Render(JobDetailsRendererDto job)
    {
        var stored = job.JobDetails.Properties.TryGetValue(JobPage.ReportParameter, out var json) ? json : null;
        var report = JobPage.UnwrittenOf(job.Page.Storage, job.JobId) ?? JobReport.FromJson(stored is null ? null : SerializationHelper.Deserialize<string?>(stored));
        return new NonEscapedString(report is null ? "" : Of(report, job.Page.Url).ToString());
    }

    internal static Html Of(JobReport report, UrlHelper url) => Html.Of(
        $"""
        <section id="wd-report" data-done="{(report.Done ? "true" : "false")}" aria-label="Report">
        <div class="alert {Tone(report)} wd-headline" role="status">{report.Held ?? report.Headline}</div>
        {Html.When(report.Notice is not null, () => Html.Of($"<div class=\"alert alert-warning\">{report.Notice}</div>"))}
        {Html.When(report.Balance is not null && !report.Done, () => Progress(report))}
        {Html.When(report.Balance is not null, () => BalanceTable.Of(report.Balance!))}
        {Html.When(report.NextAttemptAt is not null, () => Html.Of($"<p>The next attempt is at {Time(report.NextAttemptAt!.Value)}.</p>"))}
        {Html.When(report.Notes.Count > 0, () => Html.Of($"<ul class=\"wd-notes\">\n{report.Notes.Select(note => Html.Of($"<li>{note}</li>"))}\n</ul>"))}
        {Html.When(report.Other is not null, () => Html.Of($"<p><a href=\"{url.JobDetails(report.Other!)}\">Job #{report.Other}</a></p>"))}
        <p><a href="{url.To("/issues")}">All issues</a></p>
        </section>
        """);

    private static Html Progress(JobReport report)
    {
        var balance = report.Balance!;
        var settled = balance.Total - balance.Pending - balance.Claimed - balance.Sending;
        var percent = balance.Total == 0 ? 100 : settled * 100 / balance.Total;
        return Html.Of(
            $"""
            <div class="progress wd-progress"><div class="progress-bar" role="progressbar" aria-label="Sent" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}" style="width: {percent}%"></div></div>
            <p class="wd-pace"><strong>{Number(settled)}</strong> of {Number(balance.Total)} <span>{ProgressWords.Pace(report.MessagesPerSecond)}</span> <span>{(report.Held is null ? ProgressWords.Left(report.Remaining, report.DoneAt) : "")}</span></p>
            """);
    }

    private static string Tone(JobReport report) => report switch
    {
        { Refused: true } => "alert-danger",
        { Held: not null } => "alert-warning",
        { Done: false } => "alert-info",
        { Balance: { } balance } when balance.NeedsAttention || !balance.AddsUp => "alert-warning",
        { State: MailingState.Paused or MailingState.Cancelled } => "alert-warning",
        _ => "alert-success",
    };

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset time) => time.ToString("d MMM yyyy HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
