using WeeklyDigest.Issues;

namespace WeeklyDigest.Tests.Issues;

public sealed class PermalinkTests
{
    [Theory]
    [InlineData("/posts/week-1", "week-1")]
    [InlineData("/week-1", "week-1")]
    [InlineData("/2020/09/21/frogs.html", "frogs.html")]
    [InlineData("/posts/week-1/", "week-1")]
    [InlineData("/desks/week-1", "week-1")]
    [InlineData("/posts/inbox", "inbox")]
    public void Ends_in_the_slug(string path, string slug) => Assert.Equal(slug, Permalink.Read(path).Slug?.Value);

    [Theory]
    [InlineData("posts/week-1")]
    [InlineData("https://example.com/week-1")]
    [InlineData("/")]
    [InlineData("//example.com/week-1")]
    [InlineData("/posts//week-1")]
    [InlineData("/posts/../desk")]
    [InlineData("/./week-1")]
    [InlineData("/posts/week-1?x=1")]
    [InlineData("/posts/week-1#x")]
    [InlineData("/posts/%2e%2e/desk")]
    [InlineData("/posts/week 1")]
    [InlineData("/posts/wöche-1")]
    [InlineData("/posts\\week-1")]
    [InlineData("/posts/:title")]
    [InlineData("/posts/<script>")]
    [InlineData("/posts/week-1\n")]
    [InlineData("/posts/---")]
    [InlineData("/posts/a~b")]
    public void Refuses_what_is_no_plain_path(string path) => Assert.NotNull(Permalink.Read(path).Problem);

    [Theory]
    [InlineData("/desk")]
    [InlineData("/Desk/issues")]
    [InlineData("/hangfire")]
    [InlineData("/sign-in")]
    [InlineData("/sign-out/now")]
    [InlineData("/site/x")]
    [InlineData("/inbox")]
    [InlineData("/api/v1/x")]
    [InlineData("/subscribe")]
    [InlineData("/unsubscribe/x")]
    [InlineData("/confirm/x")]
    [InlineData("/preferences/x")]
    [InlineData("/healthz/live")]
    [InlineData("/metrics")]
    [InlineData("/metrics/")]
    [InlineData("/feed.xml")]
    public void Refuses_the_pages_of_the_program(string path)
        => Assert.Contains("program's own", Permalink.Read(path).Problem, StringComparison.Ordinal);

    [Fact]
    public void Refuses_a_path_beyond_300_characters() => Assert.NotNull(Permalink.Read("/" + string.Join('/', Enumerable.Repeat("abcdefghi", 31))).Problem);
}
