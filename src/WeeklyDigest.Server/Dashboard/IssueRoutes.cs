using System.Globalization;
using System.Text.RegularExpressions;
using Hangfire.Dashboard;
using WeeklyDigest.Publishing;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>The addresses of the page Issues within the dashboard. Hangfire checks sign-in and form token before it asks us.</summary>
internal static partial class IssueRoutes
{
    private const string Slug = "(?<slug>[^/]+)";
    private const int PerPage = 20;

    /// <summary>Adds the addresses.</summary>
    public static void Add(Hangfire.Dashboard.RouteCollection routes)
    {
        routes.Add("/issues", new ReadPage(ListAsync));
        routes.Add("/schedule", new ReadPage((context, _) => SchedulePage.DispatchAsync(context)));
        routes.Add($"/issues/{Slug}/(?<action>send|cancel|resolve|retry)", new ReadPage(AskAsync));
        routes.Add($"/issues/{Slug}/time", new ReadPage(TimePage.DispatchAsync));
        routes.Add($"/issues/{Slug}/do/(?<action>preview|send|pause|resume|cancel)", new Posted(new ReadPage(ActAsync)));
        routes.Add($"/issues/{Slug}/do/(?<action>resend|confirm|retry)", new Posted(new ReadPage(DecideAsync)));
    }

    private static async Task<DashboardPage?> ListAsync(DashboardContext context, Match match)
    {
        var from = int.TryParse(context.Request.GetQuery("from"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        var http = context.GetHttpContext();
        var schedule = await http.RequestServices.GetRequiredService<SchedulePage>().ReadAsync(http.RequestAborted);
        var list = await http.RequestServices.GetRequiredService<IssueOverview>().ReadAsync(from, PerPage, schedule, http.RequestAborted);
        return new DashboardPage("Issues", page => IssuesView.List(page, list, schedule, new Pager(from, PerPage, PerPage, list.Total)));
    }

    // What cannot be called back is asked for once more, with the number of people it concerns.
    private static async Task<DashboardPage?> AskAsync(DashboardContext context, Match match)
    {
        var http = context.GetHttpContext();
        var overview = http.RequestServices.GetRequiredService<IssueOverview>();
        if (await overview.FindAsync(match.Groups["slug"].Value, http.RequestAborted) is not { } row) return null;
        switch (match.Groups["action"].Value)
        {
            case "cancel": return new DashboardPage("Cancel " + row.Slug, page => QuestionView.Cancel(page, row));
            case "resolve": return new DashboardPage("Resolve " + row.Slug, page => DecisionView.Resolve(page, row));
            case "retry":
                var retriable = await overview.RetriableAsync(row, http.RequestAborted);
                return new DashboardPage("Retry " + row.Slug, page => DecisionView.Retry(page, row, retriable));
        }
        if (row.File is null) return null;
        var audience = await overview.AudienceAsync(row.File, http.RequestAborted);
        return new DashboardPage("Send " + row.Slug, page => QuestionView.Send(page, row, audience));
    }

    // Leads to what came of it; a page of its own when nothing did.
    private static async Task<DashboardPage?> ActAsync(DashboardContext context, Match match)
    {
        var http = context.GetHttpContext();
        var slug = match.Groups["slug"].Value;
        try
        {
            if (await http.RequestServices.GetRequiredService<IssueActions>().DoAsync(match.Groups["action"].Value, slug, http.RequestAborted) is { } next)
                http.Response.Redirect(DashboardSetup.Root + next);
            return null;
        }
        catch (RefusedException refusal)
        {
            return new DashboardPage("Refused " + slug, page => DecisionView.Decided(page, slug, new Decided(refusal.Message, null)));
        }
    }

    // Not a job: Hangfire runs jobs at least once, and a decision that ran twice would send again what nobody decided on.
    private static async Task<DashboardPage?> DecideAsync(DashboardContext context, Match match)
    {
        var http = context.GetHttpContext();
        var slug = match.Groups["slug"].Value;
        return await http.RequestServices.GetRequiredService<IssueDecisions>().DecideAsync(match.Groups["action"].Value, slug) is { } decided
            ? new DashboardPage("Decided " + slug, page => DecisionView.Decided(page, slug, decided))
            : null;
    }

    private sealed class Posted(IDashboardDispatcher inner) : IDashboardDispatcher
    {
        public Task Dispatch(DashboardContext context)
        {
            if (HttpMethods.IsPost(context.Request.Method)) return inner.Dispatch(context);
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return Task.CompletedTask;
        }
    }
}
