using System.Globalization;
using Hangfire.Dashboard;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>The page Nodes: every server on this database, whether it lives, and what it sends.</summary>
internal static class NodesView
{
    /// <summary>The page's content.</summary>
    public static Html List(RazorPage page, IReadOnlyList<NodeRow> nodes) => Html.Of(
        $"""
        <h1 class="page-header">Nodes</h1>
        <div class="wd-issues">
        {nodes.Select(node => Row(page, node))}
        </div>
        <p class="wd-sum">Servers on one PostgreSQL database share each mailing: every node takes recipients as it is free. What a dead one has in hand the others take when its lease ends. How much it sent a node counts itself, and says so every five seconds: what it sent right before a crash may be missing here, never in the issue's own figures. Kept for two weeks.</p>
        """);

    private static Html Row(RazorPage page, NodeRow node) => Html.Of(
        $"""
        <article class="wd-issue" aria-label="{Name(node)}">
        <div class="wd-what">
        <h2>{Name(node)}</h2>
        <p>{Label(node)} <span class="wd-date">{Role(node)}{(node.IsThis ? "; this page comes from it" : "")}</span></p>
        {node.Work.Select(work => Html.Of($"<p class=\"wd-state\"><a href=\"{page.Url.To("/issues")}\">{work.Issue}</a>: {Sent(work)}{InHand(work)}</p>"))}
        {Html.When(node.Server is not null, () => Html.Of($"<p class=\"wd-date\">Started {Time(node.Server!.StartedAt)}{Sign(node)}</p>"))}
        </div>
        </article>
        """);

    private static Html Sent(NodeWork work) => work.Since is { } since
        ? Html.Of($"<strong>{Number(work.Sent)}</strong> sent since {Time(since.UtcDateTime)}")
        : Html.Of($"<strong>0</strong> sent so far");

    private static Html InHand(NodeWork work) => Html.When(work.LeaseUntil is not null, () => Html.Of(
        $", <strong>{Number(work.Rows)}</strong> {(work.Rows == 1 ? "recipient" : "recipients")} in hand, its lease ends {Time(work.LeaseUntil!.Value.UtcDateTime)}"));

    private static Html Label(NodeRow node)
    {
        var (text, tone) = node switch
        {
            { IsSilent: true } => (node.HeardOf is { } at ? "not heard of since " + Time(at.UtcDateTime) : "never heard of", "warn"),
            _ when node.Work.Any(work => work.Rows > 0) => ("sending", "busy"),
            { Server: null } => ("not sending", "plain"),
            _ => ("ready", "good"),
        };
        return Html.Of($"<span class=\"wd-label wd-{tone}\">{text}</span>");
    }

    private static string Name(NodeRow node) => node.ProcessId is { } id ? string.Create(CultureInfo.InvariantCulture, $"{node.Machine}, process {id}") : node.Machine;

    // A server that was stopped in order has taken itself off, and what it sent is all that is known of it.
    private static string Role(NodeRow node) => node switch
    {
        { Server: null } when node.Work.Any(work => work.Rows > 0) => "a command",
        { Server: null } => "a server that was stopped, or a command" + (node.HeardOf is { } at ? "; last heard of " + Time(at.UtcDateTime) : ""),
        { Server.WorkersCount: 0 } => "helps to send, runs no jobs",
        { Server.WorkersCount: 1 } => "runs one job at a time",
        _ => string.Create(CultureInfo.InvariantCulture, $"runs {node.Server!.WorkersCount} jobs at a time"),
    };

    private static string Sign(NodeRow node) => node is { Silence: { } silence, HeardOf: { } at }
        ? string.Create(CultureInfo.InvariantCulture, $", last sign of life {Time(at.UtcDateTime)}, {Math.Max(0, silence.TotalSeconds):f0} seconds ago") : "";

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(DateTime time) => time.ToString("d MMM yyyy HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
