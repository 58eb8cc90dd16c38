using System.Text;

namespace WeeklyDigest.Server.Public;

/// <summary>A page of ours: title and body in the common frame, answered as HTML.</summary>
/// <param name="Title">What the browser's tab says.</param>
/// <param name="Body">What stands in the page's main part.</param>
internal sealed record SitePage(string Title, Html Body) : IResult
{
    /// <summary>BCP 47 tag; default en.</summary>
    public string Language { get; init; } = "en";

    /// <summary>HTTP status; default 200.</summary>
    public int Status { get; init; } = StatusCodes.Status200OK;

    /// <summary>What stands above the main part.</summary>
    public Html Header { get; init; } = Html.Empty;

    /// <summary>What stands below the main part.</summary>
    public Html Footer { get; init; } = Html.Empty;

    /// <summary>Name of the page's layout in site.css: <c>narrow</c> (default), <c>message</c> for one short statement, <c>wide</c>.</summary>
    public string Layout { get; init; } = "narrow";

    /// <summary>Whether the page asks search engines to stay away.</summary>
    public bool NoIndex { get; init; }

    /// <summary>A page that makes one statement, with a heading.</summary>
    public static SitePage Statement(string heading, Html body, int status = StatusCodes.Status200OK)
        => new(heading, Html.Of($"<h1>{heading}</h1>\n{body}")) { Layout = "message", Status = status, NoIndex = true };

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = "text/html; charset=utf-8";
        var bytes = Encoding.UTF8.GetBytes(Whole().ToString());
        response.ContentLength = bytes.Length;
        return HttpMethods.IsHead(httpContext.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(bytes, httpContext.RequestAborted).AsTask();
    }

    private Html Whole() => Html.Of(
        $"""
        <!DOCTYPE html>
        <html lang="{Language}">
        <head>
        <meta charset="utf-8">
        <title>{Title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        {Html.When(NoIndex, () => Html.Of($"<meta name=\"robots\" content=\"noindex\">"))}
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="{SiteFiles.Stylesheet}">
        </head>
        <body class="{Layout}">
        {Header}
        <main>
        {Body}
        </main>
        {Footer}
        </body>
        </html>

        """);
}
