using System.Globalization;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Inbox;

/// <summary>The built-in inbox in the browser: the list, and each message as HTML, text, headers and source. Editors only.</summary>
/// <param name="store">The messages.</param>
internal sealed class InboxPages(InboxStore store)
{
    private const int PerPage = 50;

    /// <summary>Answers <c>/inbox</c> and below.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        var inbox = routes.MapGroup("/inbox").RequireAuthorization();
        inbox.MapGet("/", List).WithMetadata(PagePolicy.Desk);
        inbox.MapGet("/{id}", Show).WithMetadata(PagePolicy.Desk);
        inbox.MapGet("/{id}/frame", Frame).WithMetadata(PagePolicy.Message);
        inbox.MapGet("/{id}/message.eml", Download).WithMetadata(PagePolicy.Desk);
    }

    private SitePage List(int? page)
    {
        var total = store.Count;
        var pages = Math.Max(1, (total + PerPage - 1) / PerPage);
        var current = Math.Clamp(page ?? 1, 1, pages);
        var entries = store.Page((current - 1) * PerPage, PerPage);
        return Desk("Inbox", Html.Of(
            $"""
            <h1>Inbox <span class="count">{Number(total)}</span></h1>
            {Html.When(total == 0, () => Html.Of($"<p>No message has arrived. Without a relay in the settings, everything that is sent arrives here and nowhere else.</p>"))}
            {Html.When(total > 0, () => Html.Of($"<ol class=\"messages\">\n{entries.Select(Item)}\n</ol>"))}
            {Html.When(pages > 1, () => Pager(current, pages))}
            """));
    }

    private static Html Item(InboxEntry entry) => Html.Of(
        $"""
        <li><a href="/inbox/{entry.Id}"><span class="to">{(entry.To.Length > 0 ? entry.To : string.Join(", ", entry.Recipients))}</span>
        <span class="subject">{(entry.Subject.Length > 0 ? entry.Subject : "(no subject)")}</span>
        <time datetime="{entry.ReceivedAt.ToString("O", CultureInfo.InvariantCulture)}">{entry.ReceivedAt.ToString("d MMM HH:mm:ss", CultureInfo.InvariantCulture)}</time></a></li>
        """);

    private static Html Pager(int current, int pages) => Html.Of(
        $"""
        <nav class="pager" aria-label="Pages">
        {Html.When(current > 1, () => Html.Of($"<a rel=\"prev\" href=\"/inbox?page={current - 1}\">Newer</a>"))}
        <span>Page {current} of {pages}</span>
        {Html.When(current < pages, () => Html.Of($"<a rel=\"next\" href=\"/inbox?page={current + 1}\">Older</a>"))}
        </nav>
        """);

    private SitePage Show(string id, string? view, string? width, string? scheme)
        => store.Read(id) is { } message ? Desk(MessageView.Subject(message), MessageView.Of(message, MessageLook.From(view, width, scheme))) : Missing();

    private IResult Frame(string id, string? scheme)
    {
        if (store.Read(id) is not { } message) return Missing();
        using var mime = MessageView.Parse(message);
        return Results.Content(MessageFrame.Html(mime, dark: scheme == "dark"), "text/html; charset=utf-8");
    }

    private IResult Download(string id) => store.Read(id) is { } message
        ? Results.File(message.Bytes.ToArray(), "message/rfc822", id + ".eml")
        : Missing();

    private static SitePage Missing() => Desk("No such message", Html.Of(
        $"<h1>No such message</h1>\n<p>It may have been removed.</p>\n<p><a href=\"/inbox\">All messages</a></p>")) with
    { Status = StatusCodes.Status404NotFound };

    private static SitePage Desk(string title, Html body) => new(title, body)
    {
        Layout = "wide",
        NoIndex = true,
        Header = Html.Of(
            $"""
            <header class="masthead"><nav aria-label="Editor">
            <a href="/hangfire/issues">Issues</a> <a href="/hangfire">Jobs</a> <a href="/inbox" aria-current="page">Inbox</a> <a href="/">Archive</a> <a href="/sign-out">Sign out</a>
            </nav></header>
            """),
        Footer = Html.Of($"<script src=\"{SiteFiles.InboxScript}\"></script>"),
    };

    private static string Number(int value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
