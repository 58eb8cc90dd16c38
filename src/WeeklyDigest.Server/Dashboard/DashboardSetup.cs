using Hangfire;
using Hangfire.Dashboard;
using WeeklyDigest.Server.Desk;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>Hangfire's dashboard with what we add: the pages Issues and Nodes, menu items, and a report on each job's page.</summary>
internal static class DashboardSetup
{
    /// <summary>Where the dashboard is.</summary>
    public const string Root = "/hangfire";

    // Where Hangfire's own buttons post to. It reads a form there whatever it is asked, and breaks on a request that has none.
    private static readonly string[] Buttons = ["/recurring/trigger", "/recurring/remove", "/jobs/{list}/delete", "/jobs/{list}/requeue", "/jobs/{list}/enqueue", "/stats"];

    // Hangfire keeps routes, menu and renderers in static lists: they are added once per process, and find what they need in the request.
    private static readonly Lazy<bool> Added = new(Add);

    /// <summary>Answers <c>/hangfire</c>, for editors only.</summary>
    public static void Map(IEndpointRouteBuilder routes, Newsletter newsletter)
    {
        _ = Added.Value;
        foreach (var button in Buttons)
            routes.MapMethods(Root + button, [HttpMethods.Get, HttpMethods.Head], ToItsPage).RequireAuthorization().WithMetadata(PagePolicy.Dashboard);
        routes.MapHangfireDashboard(Root, new DashboardOptions
        {
            Authorization = [new SignedIn()],
            DashboardTitle = System.Net.WebUtility.HtmlEncode(newsletter.Name),
            AppPath = "/",
            DisplayStorageConnectionString = false,
        }).RequireAuthorization().WithMetadata(PagePolicy.Dashboard).TellInWords();
    }

    // Such an address is opened from a browser's history, or after the sign-in.
    private static IResult ToItsPage(HttpContext context)
    {
        var address = context.Request.Path.ToUriComponent();
        return Results.LocalRedirect(address[..address.LastIndexOf('/')]);
    }

    private static bool Add()
    {
        var parts = typeof(DashboardSetup).Assembly;
        DashboardRoutes.AddStylesheet(parts, "dashboard.css");
        DashboardRoutes.AddStylesheetDarkMode(parts, "dashboard-dark.css");
        DashboardRoutes.AddJavaScript(parts, "dashboard.js");
        IssueRoutes.Add(DashboardRoutes.Routes);
        NodeRoutes.Add(DashboardRoutes.Routes);
        NavigationMenu.Items.Insert(0, page => new MenuItem("Issues", page.Url.To("/issues")) { Active = page.RequestPath.StartsWith("/issues", StringComparison.Ordinal) });
        NavigationMenu.Items.Add(page => new MenuItem("Nodes", page.Url.To("/nodes")) { Active = page.RequestPath.StartsWith("/nodes", StringComparison.Ordinal) });
        NavigationMenu.Items.Add(_ => new MenuItem("Inbox", "/inbox"));
        NavigationMenu.Items.Add(_ => new MenuItem("Sign out", "/sign-out"));
        GlobalConfiguration.Configuration.UseJobDetailsRenderer(0, JobReportView.Render);
        return true;
    }

    // The endpoint asks for a signed-in editor already; this is Hangfire's own door, shut as well.
    private sealed class SignedIn : IDashboardAuthorizationFilter
    {
        public bool Authorize(DashboardContext context)
            => context.GetHttpContext().User is { Identity.IsAuthenticated: true } user && user.IsInRole(EditorsOnly.Role);
    }
}
