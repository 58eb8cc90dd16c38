using System.Net;
using System.Security.Claims;
using Hangfire.Storage.SQLite;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using WeeklyDigest.Server.Desk;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Tests.Web;

/// <summary>What a request gets, and the log, while the database or the disk cannot be used.</summary>
public sealed class ProblemPagesTests
{
    private static readonly StorageException Away = new("The database on db.example.com does not answer.");

    [Fact]
    public async Task Readers_are_told_what_became_of_their_click_and_editors_what_becomes_of_the_mailing()
    {
        await using var site = await TestSite.StartAsync();

        Assert.Equal("You are not unsubscribed yet Your click could not be recorded, which is our fault. Try again in a few minutes.", await ShownAsync(site, Away, "/unsubscribe/{token}", "POST"));
        foreach (var (address, method) in new[] { ("/unsubscribe/{token}", "GET"), ("/", "GET"), ("{**path}", null) })
            Assert.Equal("This page cannot be shown now That is our fault, and nothing has changed. Try again in a few minutes.", await ShownAsync(site, Away, address, method));
        Assert.Equal(
            "The database cannot be used now Nothing is lost: what is being sent waits and goes on by itself. The log says what is wrong. Try again in a moment.",
            await ShownAsync(site, Away, "/sign-in", "GET"));
        Assert.Equal(
            "The database cannot be used now The database on db.example.com does not answer. Nothing is lost: what is being sent waits and goes on by itself. Try again in a moment.",
            await ShownAsync(site, Away, "/desk/{**rest}", "GET", isEditor: true));
    }

    [Theory]
    [InlineData("The database x was moved. Put that file back and start again.", false)]
    [InlineData("The database x is damaged. Stop the program and restore a backup.", true)]
    public async Task Where_somebody_has_to_do_something_no_page_says_that_it_goes_on_by_itself(string words, bool isLasting)
    {
        await using var site = await TestSite.StartAsync();
        var gone = new StorageException(words) { IsLasting = isLasting, NeedsRestart = !isLasting };
        Assert.Equal($"The database cannot be used now {words} Try again once that is done.", await ShownAsync(site, gone, "/desk/{**rest}", "GET", isEditor: true));
        Assert.Equal("The database cannot be used now The log says what is wrong and what to do. Try again once that is done.", await ShownAsync(site, gone, "/sign-in", "GET"));
    }

    [Fact]
    public async Task Trouble_of_the_database_and_a_full_disk_is_a_line_in_the_log_once_and_anything_else_a_stack()
    {
        await using var site = await TestSite.StartAsync();
        var trouble = new (Exception Met, string Line)[]
        {
            (Away, Away.Message),
            (new InvalidOperationException("a page of Hangfire's", new SQLiteStorageException("jobs.db is busy.")), "jobs.db is busy."),
            (new IOException("No space left on device : 'x'", 28), "The disk is full: No space left on device : 'x'. Make room."),
        };
        foreach (var (met, line) in trouble)
        {
            Assert.True(IsKnown(met));
            for (var time = 0; time < 3; time++) await ShownAsync(site, met, "/", "GET");
            lock (site.Log) Assert.Equal("A page cannot be shown, or what was sent to it not be kept: " + line, Assert.Single(site.Log, logged => logged.Contains(line, StringComparison.Ordinal)));
        }
        Assert.False(IsKnown(new InvalidOperationException("a mistake")));
        Assert.False(IsKnown(new StorageException("damaged", new SQLiteStorageException("damaged")) { IsLasting = true }));
    }

    [Fact]
    public async Task Who_has_gone_by_then_gets_no_page_and_the_log_its_line()
    {
        await using var site = await TestSite.StartAsync();
        var context = new DefaultHttpContext { RequestServices = site.App.Services, RequestAborted = new CancellationToken(canceled: true) };
        context.Features.Set<IExceptionHandlerFeature>(new ExceptionHandlerFeature { Error = Away, Path = "/" });
        await ProblemPages.AnswerAsync(context);
        lock (site.Log) Assert.Single(site.Log, logged => logged.Contains(Away.Message, StringComparison.Ordinal));
    }

    private static bool IsKnown(Exception failure) => ProblemPages.IsKnown(new ExceptionHandlerSuppressDiagnosticsContext
    {
        HttpContext = new DefaultHttpContext(), Exception = failure, ExceptionHandledBy = ExceptionHandledType.ExceptionHandlerDelegate,
    });

    // As the server's edge does for an exception from that address. A 503, without its layout.
    private static async Task<string> ShownAsync(TestSite site, Exception met, string address, string? method, bool isEditor = false)
    {
        var endpoint = site.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Single(
            route => route.RoutePattern.RawText == address && (method is null || route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains(method) != false));
        var context = new DefaultHttpContext { RequestServices = site.App.Services };
        if (isEditor) context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Role, EditorsOnly.Role)], "test"));
        context.Features.Set<IExceptionHandlerFeature>(new ExceptionHandlerFeature { Error = met, Endpoint = endpoint, Path = address });
        using var body = new MemoryStream();
        context.Response.Body = body;
        await ProblemPages.AnswerAsync(context);
        Assert.Equal((int)HttpStatusCode.ServiceUnavailable, context.Response.StatusCode);
        var page = new AngleSharp.Html.Parser.HtmlParser().ParseDocument(System.Text.Encoding.UTF8.GetString(body.ToArray()));
        return $"{page.QuerySelector("h1")!.TextContent} {page.QuerySelector("h1 + p")!.TextContent}";
    }
}
