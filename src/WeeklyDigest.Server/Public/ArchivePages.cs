using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.Net.Http.Headers;
using WeeklyDigest.Publishing;
using WeeklyDigest.Server.Settings;

namespace WeeklyDigest.Server.Public;

/// <summary>The archive: a list of the published issues, and each issue at its permalink as it was frozen when it was published.</summary>
/// <param name="mailings">Where the issues are.</param>
/// <param name="newsletter">Whose archive it is.</param>
/// <param name="settings">In which time zone it appears.</param>
internal sealed class ArchivePages(IMailingStore mailings, Newsletter newsletter, ServerSettings settings)
{
    // Once a mailing has begun its content never changes, so what the list needs of it is read once.
    private readonly ConcurrentDictionary<long, Listed> listed = new();

    /// <summary>Answers <c>/</c>, and every path nothing else answers: it may be a permalink.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/", [HttpMethods.Get, HttpMethods.Head], ListAsync).AllowAnonymous().WithMetadata(ReaderWords.Page);
        routes.MapFallback("{**path}", IssueAsync).AllowAnonymous().WithMetadata(ReaderWords.Page);
    }

    /// <summary>The newsletter's name above a page, leading to the archive.</summary>
    public static Html Masthead(Newsletter newsletter) => Html.Of($"<header class=\"masthead\"><a href=\"/\">{newsletter.Name}</a></header>");

    private async Task<SitePage> ListAsync(CancellationToken cancel)
    {
        var issues = new List<Listed>();
        foreach (var mailing in await mailings.ListAsync(cancel))
            if (mailing.HasBegun) issues.Add(await ListedAsync(mailing, cancel));
        return new SitePage(newsletter.Name, Html.Of(
            $"""
            <h1>{newsletter.Name}</h1>
            {Html.When(issues.Count == 0, () => Html.Of($"<p>No issue has been published yet.</p>"))}
            {Html.When(issues.Count > 0, () => Html.Of($"<ol class=\"issues\" reversed>\n{issues.Select(Item)}\n</ol>"))}
            """))
        { Language = newsletter.Language };
    }

    private static Html Item(Listed issue) => Html.Of(
        $"""
        <li><a href="{issue.Permalink}">{issue.Title}</a>
        <time datetime="{issue.Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}">{issue.Day.ToString("d MMMM yyyy", CultureInfo.InvariantCulture)}</time></li>
        """);

    private async Task<IResult> IssueAsync(HttpContext context, CancellationToken cancel)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method)) return Results.StatusCode(StatusCodes.Status405MethodNotAllowed);
        var path = context.Request.Path.Value ?? "/";
        if (await mailings.FindByPermalinkAsync(path, cancel) is { } found) return Issue(context, found.Mailing, found.Content);
        // An address typed with or without the last slash is sent to the one that is right, so that there is one.
        var other = path.EndsWith('/') ? path.TrimEnd('/') : path + "/";
        return other.Length > 1 && !other.StartsWith("//", StringComparison.Ordinal) && await mailings.FindByPermalinkAsync(other, cancel) is not null
            ? Results.LocalRedirect(new PathString(other).ToUriComponent(), permanent: true)
            : NotFound();
    }

    private static IResult Issue(HttpContext context, Mailing mailing, FrozenContent content)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = PagePolicy.Issue.ContentSecurityPolicy;
        headers["Referrer-Policy"] = PagePolicy.Issue.Referrer;
        headers.CacheControl = "public, max-age=300";
        return Results.Bytes(Encoding.UTF8.GetBytes(content.WebHtml), "text/html; charset=utf-8",
            entityTag: new EntityTagHeaderValue($"\"{mailing.ContentHash}\""));
    }

    private SitePage NotFound() => SitePage.Statement("There is no such page", Html.Of(
        $"<p>An issue that has not been published yet has no page either.</p>\n<p><a href=\"/\">All issues of {newsletter.Name}</a></p>"),
        StatusCodes.Status404NotFound) with { Header = Masthead(newsletter) };

    private async Task<Listed> ListedAsync(Mailing mailing, CancellationToken cancel)
    {
        if (listed.TryGetValue(mailing.Id, out var known)) return known;
        var content = await mailings.ContentAsync(mailing.Id, cancel);
        // A permalink is a decoded path; as a link it is encoded again.
        return listed[mailing.Id] = new Listed(content.Title, new PathString(content.Permalink).ToUriComponent(), content.Day ?? DayOf(content.Date));
    }

    private DateOnly DayOf(DateTimeOffset moment) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(moment, settings.Schedule.TimeZone).DateTime);

    private sealed record Listed(string Title, string Permalink, DateOnly Day);
}
