using System.Globalization;
using Hangfire.Dashboard;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>The questions about deliveries that only a person can decide, and what the answer did.</summary>
internal static class DecisionView
{
    /// <summary>What to do with uncertain deliveries.</summary>
    public static Html Resolve(RazorPage page, IssueRow row) => QuestionView.Frame(page, row.Slug, $"What became of {Count(row.Balance?.Uncertain, "message")}?", row.Balance is not { Uncertain: > 0 } balance
        ? Html.Of($"<p>{row.Slug} has no uncertain delivery; there is nothing to decide.</p>")
        : Html.Of(
            $"""
            <p>They were handed over, and the connection or the program ended before the answer came: only the relay, or the recipient, knows whether they arrived. Its log can be searched for their Message-IDs, which <code>weeklydigest deliveries {row.Slug} --state uncertain --json</code> lists.</p>
            {Html.When(row.Mailing!.State != MailingState.Cancelled, () => Button(page, row, "resend", $"Send {Number(balance.Uncertain)} again", "btn-primary"))}
            <p>Who got the first copy then gets a second one, the same message with the same Message-ID. Who has left gets none.</p>
            {Button(page, row, "confirm", $"Count {Number(balance.Uncertain)} as sent", "btn-default")}
            """));

    /// <summary>Whether to try failed deliveries again.</summary>
    /// <param name="page">The page it is on.</param>
    /// <param name="row">The issue.</param>
    /// <param name="retriable">Of its failed deliveries, those whose subscriber has neither left nor bounced.</param>
    public static Html Retry(RazorPage page, IssueRow row, long retriable) => QuestionView.Frame(page, row.Slug, $"Try {Count(retriable, "failed delivery", "failed deliveries")} again?", row switch
    {
        { Balance: not { Failed: > 0 } } => Html.Of($"<p>{row.Slug} has no failed delivery; there is nothing to decide.</p>"),
        { Mailing.State: MailingState.Cancelled } => Html.Of($"<p>{row.Slug} is cancelled; what was not sent stays unsent.</p>"),
        _ => Html.Of(
            $"""
            <p>The relay refused them, or gave no room until attempts ran out; <code>weeklydigest deliveries {row.Slug} --state failed</code> lists its words. Their attempts start anew.{Html.When(row.Balance!.Failed > retriable, () => Html.Of($" {Number(row.Balance.Failed - retriable)} of {Number(row.Balance.Failed)} {(row.Balance.Failed - retriable == 1 ? "stays" : "stay")} as before, since the subscriber has left or bounced; <code>weeklydigest subscribers add ADDRESS --list NAME</code> brings an address back that bounced."))}</p>
            {Html.When(retriable > 0, () => Button(page, row, "retry", $"Try {Number(retriable)} again", "btn-primary"))}
            """),
    });

    /// <summary>What was decided.</summary>
    public static Html Decided(RazorPage page, string slug, Decided decided) => QuestionView.Frame(page, slug, slug, Html.Of(
        $"""
        <div class="alert {(decided.Result is null ? "alert-warning" : "alert-success")}" role="status">{decided.Words}</div>
        {Html.When(decided.Result is not null, () => BalanceTable.Of(decided.Result!.Balance))}
        {Html.When(decided.Result is { Mailing.State: MailingState.Paused }, () => Html.Of($"<p>The mailing is paused: resume it to let it go on.</p>"))}
        """));

    private static Html Button(RazorPage page, IssueRow row, string action, string label, string style)
        => DashboardPage.PostButton(page, $"/issues/{Uri.EscapeDataString(row.Slug)}/do/{action}", label, style, label);

    private static string Count(long? count, string one, string? many = null) => $"{Number(count ?? 0)} {(count == 1 ? one : many ?? one + "s")}";

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
