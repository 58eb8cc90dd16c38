using System.Globalization;
using System.Net;

namespace WeeklyDigest.Tests.Web;

public sealed class ArchiveTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_issue_stands_at_its_permalink_as_it_was_frozen()
    {
        await using var site = await TestSite.StartAsync();
        await site.PublishedAsync("week-1", "/posts/week-1", "<!DOCTYPE html><title>Frozen</title>", "ada@example.com");
        using var client = site.Client();

        using var answer = await client.GetAsync(new Uri("/posts/week-1", UriKind.Relative), Cancel);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("<!DOCTYPE html><title>Frozen</title>", await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.StartsWith("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("script-src", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/posts/week-1") { Headers = { IfNoneMatch = { answer.Headers.ETag! } } };
        using var unchanged = await client.SendAsync(again, Cancel);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Theory]
    [InlineData("/posts/week-1", "/posts/week-1/")]
    [InlineData("/2020/09/22/week-1/", "/2020/09/22/week-1")]
    [InlineData("/posts/wöche-1", "/posts/w%C3%B6che-1/")]
    public async Task A_permalink_with_or_without_the_last_slash_leads_to_the_one_page(string permalink, string typed)
    {
        await using var site = await TestSite.StartAsync();
        await site.PublishedAsync("week-1", permalink, "<p>Frozen</p>", "ada@example.com");
        using var client = site.Client();

        using var answer = await client.GetAsync(new Uri(typed, UriKind.Relative), Cancel);

        Assert.Equal(HttpStatusCode.MovedPermanently, answer.StatusCode);
        Assert.Equal("<p>Frozen</p>", await client.GetStringAsync(answer.Headers.Location, Cancel));
    }

    [Fact]
    public async Task The_list_names_every_published_issue_and_encodes_what_it_shows()
    {
        await using var site = await TestSite.StartAsync(null, ("Newsletter:Name", "A & <b>B</b>"));
        using var client = site.Client();
        Assert.Contains("No issue has been published yet", await client.GetStringAsync(new Uri("/", UriKind.Relative), Cancel), StringComparison.Ordinal);

        await site.PublishedAsync("week-1", "/posts/week 1\"<x>", "<p></p>", "ada@example.com");
        var page = await client.GetStringAsync(new Uri("/", UriKind.Relative), Cancel);

        Assert.Contains("Title of &lt;week-1&gt;", page, StringComparison.Ordinal);
        Assert.Contains("A &amp; &lt;b&gt;B&lt;/b&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<x>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>B", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_shows_the_day_that_the_issue_shows()
    {
        var now = TimeProvider.System.GetUtcNow();
        // Where it is another day than in UTC.
        var zone = TimeZoneInfo.FindSystemTimeZoneById(now.Hour < 11 ? "Etc/GMT+12" : "Etc/GMT-14");
        await using var site = await TestSite.StartAsync(folder =>
        {
            folder.Write("subscribers/readers.csv", TestSite.List(1));
            folder.Write("issues/dated.md", TestSite.Issue("Dated", "date: 2020-09-21\n"));
            folder.Write("issues/undated.md", TestSite.Issue("Undated"));
        }, ("Newsletter:Schedule:TimeZone", zone.Id));
        foreach (var issue in new[] { "dated", "undated" })
            await site.Installation.PublishIssue.RunAsync(site.Installation.Issues.Find(issue)!, list: null, null, _ => Task.CompletedTask, Cancel);
        await site.PublishedAsync("older", "/posts/older", "<p></p>", "ada@example.com");
        using var client = site.Client();

        var page = await client.GetStringAsync(new Uri("/", UriKind.Relative), Cancel);

        var today = TimeZoneInfo.ConvertTime(now, zone).ToString("d MMMM yyyy", CultureInfo.InvariantCulture);
        Assert.Matches("""Dated</a>\s*<time datetime="2020-09-21">21 September 2020</time>""", page);
        Assert.Matches($"""Undated</a>\s*<time datetime="[0-9-]*">{today}</time>""", page);
        Assert.Matches($"""older&gt;</a>\s*<time datetime="[0-9-]*">{today}</time>""", page);
        Assert.Contains($">{today}", await client.GetStringAsync(new Uri("/posts/undated", UriKind.Relative), Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/posts/none")]
    [InlineData("/%00")]
    [InlineData("//example.com/")]
    [InlineData("/..%2f..%2fetc/passwd")]
    [InlineData("/appsettings.json")]
    public async Task What_is_not_there_is_not_found(string path)
    {
        await using var site = await TestSite.StartAsync();
        using var client = site.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, site.Address.GetLeftPart(UriPartial.Authority) + path);

        using var answer = await client.SendAsync(request, Cancel);

        Assert.True(answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest, answer.StatusCode.ToString());
    }

    [Fact]
    public async Task Supervisors_are_answered()
    {
        await using var site = await TestSite.StartAsync();
        using var client = site.Client();

        Assert.Equal("alive", await client.GetStringAsync(new Uri("/healthz/live", UriKind.Relative), Cancel));
        Assert.Equal("ready", await client.GetStringAsync(new Uri("/healthz/ready", UriKind.Relative), Cancel));
    }
}
