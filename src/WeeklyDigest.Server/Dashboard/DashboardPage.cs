using Hangfire.Dashboard;
using Hangfire.Dashboard.Pages;

namespace WeeklyDigest.Server.Dashboard;

/// <summary>A page of ours in the dashboard's frame.</summary>
/// <param name="title">What the tab says.</param>
/// <param name="body">Writes the page.</param>
internal sealed class DashboardPage(string title, Func<RazorPage, Public.Html> body) : RazorPage
{
    /// <inheritdoc/>
    public override void Execute()
    {
        Layout = new LayoutPage(title);
        WriteLiteral(body(this).ToString());
    }

    /// <summary>What a posted form's field holds, without space around it; empty when it is missing.</summary>
    public static async Task<string> FieldAsync(DashboardContext context, string name)
        => (await context.Request.GetFormValuesAsync(name)).FirstOrDefault()?.Trim() ?? "";

    /// <summary>A button that posts a form with its token.</summary>
    /// <param name="page">The page it is on.</param>
    /// <param name="path">Where to, within the dashboard.</param>
    /// <param name="label">What it says.</param>
    /// <param name="style">Bootstrap's name for its look.</param>
    /// <param name="name">What it says to those who do not see what it stands beside.</param>
    public static Public.Html PostButton(RazorPage page, string path, string label, string style, string name) => Public.Html.Of(
        $"""
        <form method="post" action="{page.Url.To(path)}"><input type="hidden" name="__RequestVerificationToken" value="{page.Context.AntiforgeryToken}"><button class="btn btn-sm {style}" aria-label="{name}">{label}</button></form>
        """);
}
