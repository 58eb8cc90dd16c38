using Hangfire.Dashboard;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>The address of the page Nodes within the dashboard.</summary>
internal static class NodeRoutes
{
    /// <summary>Adds the address.</summary>
    public static void Add(Hangfire.Dashboard.RouteCollection routes) => routes.Add("/nodes", new ReadPage(async (context, _) =>
    {
        var http = context.GetHttpContext();
        var nodes = await http.RequestServices.GetRequiredService<NodeOverview>().ReadAsync(http.RequestAborted);
        return new DashboardPage("Nodes", page => NodesView.List(page, nodes));
    }));
}
