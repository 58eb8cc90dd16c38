using System.Text.RegularExpressions;
using Hangfire.Dashboard;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>Answers with a page. Hangfire builds its pages synchronously: what they show is read before.</summary>
/// <param name="read">Reads what the page shows; null: there is no such page.</param>
internal sealed class ReadPage(Func<DashboardContext, Match, Task<DashboardPage?>> read) : IDashboardDispatcher
{
    /// <inheritdoc/>
    public async Task Dispatch(DashboardContext context)
    {
        if (await read(context, context.UriMatch) is not { } page)
        {
            // Unless it leads to another page.
            if (context.Response.StatusCode == StatusCodes.Status200OK) context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var routes = new Hangfire.Dashboard.RouteCollection();
        routes.AddRazorPage("/", _ => page);
        await routes.FindDispatcher("/").Item1.Dispatch(context);
    }
}
