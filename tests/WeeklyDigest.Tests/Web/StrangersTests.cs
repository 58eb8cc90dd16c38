using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using WeeklyDigest.Server.Desk;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Tests.Web;

/// <summary>What those who are no editors can do to a server: not keep editors out, not fill its log, not use up its machine.</summary>
public sealed class StrangersTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    // Behind a proxy everybody has its address.
    [Fact]
    public async Task Links_that_are_none_keep_nobody_with_a_good_one_out()
    {
        await using var site = await TestSite.StartAsync();
        using var stranger = site.Client();
        var page = await stranger.GetStringAsync(new Uri("/sign-in?token=rubbish", UriKind.Relative), Cancel);
        for (var time = 0; time < 30; time++)
        {
            using var form = TestSite.FormOf(page);
            using var refused = await stranger.PostAsync(new Uri("/sign-in/link", UriKind.Relative), form, Cancel);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }
        using var editor = await site.EditorAsync();
    }

    [Fact]
    public async Task Names_that_are_none_keep_no_editor_out()
    {
        await using var site = await TestSite.StartAsync(null, ("Editors:Users:0:Name", "Ada"), ("Editors:Users:0:PasswordHash", EditorPasswords.Hash("correct horse")));
        using var client = site.Client();
        var page = await client.GetStringAsync(new Uri("/sign-in", UriKind.Relative), Cancel);
        for (var name = 0; name <= 60; name++) Assert.Equal(HttpStatusCode.Forbidden, await TryAsync(name.ToString(CultureInfo.InvariantCulture), "x"));
        Assert.Equal(HttpStatusCode.Redirect, await TryAsync("Ada", "correct horse"));

        async Task<HttpStatusCode> TryAsync(string name, string password)
        {
            using var form = TestSite.FormOf(page, ("name", name), ("password", password));
            using var answer = await client.PostAsync(new Uri("/sign-in/password", UriKind.Relative), form, Cancel);
            return answer.StatusCode;
        }
    }

    [Theory]
    [InlineData("GET /hangfire?a=b HTTP/1.0")]
    [InlineData("GET /hangfire?a=b HTTP/1.1\r\nHost: !")]
    [InlineData("GET /hangfire?a=b HTTP/1.1\r\nHost:")]
    public async Task Who_names_no_host_is_sent_to_the_sign_in_as_well(string request)
    {
        await using var site = await TestSite.StartAsync();
        using var connection = new TcpClient();
        await connection.ConnectAsync(site.Address.Host, site.Address.Port, Cancel);
        await using var stream = connection.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request + "\r\nConnection: close\r\n\r\n"), Cancel);
        using var answer = new StreamReader(stream, Encoding.ASCII);
        var text = await answer.ReadToEndAsync(Cancel);
        Assert.Matches(@"^HTTP/1\.1 302 ", text);
        Assert.Contains("\r\nLocation: /sign-in?returnUrl=%2Fhangfire%3Fa%3Db\r\n", text, StringComparison.Ordinal);
        Assert.False(site.HasLogged(line => line.Contains("unhandled exception", StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    public void A_network_of_IPv6_is_one_caller(string one, string other, bool same)
        => Assert.Equal(same, SignInPages.Caller(IPAddress.Parse(one)) == SignInPages.Caller(IPAddress.Parse(other)));

    [Fact]
    public async Task Broken_forms_are_refused_and_leave_nothing_in_the_log()
    {
        await using var site = await TestSite.StartAsync();
        using var stranger = site.Client();
        using var editor = await site.EditorAsync();
        var fields = string.Join('&', Enumerable.Range(0, 1100).Select(number => $"f{number}=1"));
        foreach (var (content, type, status) in new[]
        {
            ("--x\r\nContent-Disposition: rubbish", "multipart/form-data; boundary=x", HttpStatusCode.BadRequest),
            (fields, "application/x-www-form-urlencoded", HttpStatusCode.BadRequest),
            ("{}", "application/json", HttpStatusCode.BadRequest),
            (new string('x', 2 * 1024 * 1024), "application/x-www-form-urlencoded", HttpStatusCode.RequestEntityTooLarge),
        })
        {
            Assert.Equal(status, await PostAsync(stranger, "/sign-in/link", content, type));
            if (type != "application/json") Assert.Equal(status, await PostAsync(editor, "/hangfire/issues/week-1/do/send", content, type));
        }
        Assert.False(site.HasLogged(line => line.Contains("unhandled exception", StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public async Task Asking_whether_it_is_ready_tells_the_log_once_why_it_is_not()
    {
        await using var site = await TestSite.StartAsync();
        using var stranger = site.Client();
        var file = Path.Combine(site.Installation.Settings.Paths.Data, "weeklydigest.db");
        File.Move(file, file + ".away");
        for (var time = 0; time < 3; time++)
        {
            using var answer = await stranger.GetAsync(new Uri("/healthz/ready", UriKind.Relative), Cancel);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        }
        File.Move(file + ".away", file);
        lock (site.Log) Assert.Single(site.Log, line => line.Contains("The database does not answer", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_page_of_a_failure_carries_a_policy()
    {
        await using var site = await TestSite.StartAsync();
        foreach (var (policy, referrer, robots) in new[] { (PagePolicy.Token, "no-referrer", "noindex, nofollow"), (PagePolicy.Issue, "strict-origin-when-cross-origin", "") })
        {
            var endpoint = new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse("/x"), 0, new EndpointMetadataCollection(policy), "x");
            var context = new DefaultHttpContext { RequestServices = site.App.Services };
            context.Features.Set<IExceptionHandlerFeature>(new ExceptionHandlerFeature { Error = new InvalidOperationException("a mistake"), Endpoint = endpoint, Path = "/x" });
            await ProblemPages.AnswerAsync(context);
            var headers = context.Response.Headers;
            Assert.Equal((500, "nosniff", "DENY", referrer, robots), (context.Response.StatusCode, headers.XContentTypeOptions.ToString(), headers.XFrameOptions.ToString(), headers["Referrer-Policy"].ToString(), headers["X-Robots-Tag"].ToString()));
            Assert.Contains("style-src 'self';", headers.ContentSecurityPolicy.ToString(), StringComparison.Ordinal);
        }
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, string path, string content, string type)
    {
        using var body = new ByteArrayContent(Encoding.ASCII.GetBytes(content));
        body.Headers.TryAddWithoutValidation("Content-Type", type);
        // Asks before it sends the body: of one that is refused unread the end would meet a closed connection.
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = body, Headers = { ExpectContinue = true } };
        using var answer = await client.SendAsync(request, Cancel);
        return answer.StatusCode;
    }
}
