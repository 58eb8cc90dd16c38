using System.Text.Json;
using WeeklyDigest.Issues;
using WeeklyDigest.Merging;
using WeeklyDigest.Rendering;
using WeeklyDigest.Tests.Issues;

namespace WeeklyDigest.Tests.Rendering;

public sealed class MergeSlotRenderingTests
{
    private const string Page = "@model IssueView\n<!DOCTYPE html><html><head><title>t</title></head><body>";

    private static readonly MergeValues Odd = new("A & B", "a+b@example.org", new Dictionary<string, string> { ["city"] = "S\u00E3o Paulo/SP" }, "https://digest.example/u?t=1&s=2");

    [Theory]
    [InlineData("<p>{{ name }}</p>", "<p>A &amp; B</p>")]
    [InlineData("<p title=\"for {{ name }}\">x</p>", "title=\"for A &amp; B\"")]
    [InlineData("<a href=\"{{ unsubscribe_url }}\">x</a>", "href=\"https://digest.example/u?t=1&amp;s=2\"")]
    [InlineData("<a href=\"https://example.com/?u={{ unsubscribe_url }}\">x</a>", "u=https%3A%2F%2Fdigest.example%2Fu%3Ft%3D1%26s%3D2\"")]
    [InlineData("<a href=\"https://example.com/{{ attributes.city }}?e={{ email }}\">x</a>", "https://example.com/S%C3%A3o%20Paulo%2FSP?e=a%2Bb%40example.org\"")]
    [InlineData("<a href=\"mailto:x@example.com?subject={{ name }}\">x</a>", "subject=A%20%26%20B\"")]
    [InlineData("<img alt=\"\" src=\"https://example.com/{{ email }}.png\">", "a%2Bb%40example.org.png\"")]
    [InlineData("<p>\\{{ name }}</p>", "<p>{{ name }}</p>")]
    public async Task A_value_is_encoded_as_its_place_demands(string body, string expected)
    {
        var mail = await Rendered.WithTemplatesAsync(Samples.ValidBody("Text."), ("issue.cshtml", Page + body), ("styles.css", ""));
        Assert.Contains(expected, mail.Html.Fill(Odd), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Slots_of_an_issue_reach_every_part()
    {
        var issue = Samples.Valid("---\ntitle: Seven for {{ name | all }}\n---\nDear {{ name | you }}, [near you](https://example.com/?c={{ attributes.city | Paris }}&d=1).\n");
        var mail = await Rendered.MailAsync(issue);
        Assert.Equal("Seven for A & B", mail.Subject.Fill(Odd));
        Assert.Contains("Dear A &amp; B, ", mail.Html.Fill(Odd), StringComparison.Ordinal);
        Assert.Contains("href=\"https://example.com/?c=S%C3%A3o%20Paulo%2FSP&amp;d=1\"", mail.Html.Fill(Odd), StringComparison.Ordinal);
        Assert.Contains("Dear A & B, near you [1].", mail.Text.Fill(Odd), StringComparison.Ordinal);
        Assert.Contains("[1] https://example.com/?c=S%C3%A3o%20Paulo%2FSP&d=1\n", mail.Text.Fill(Odd), StringComparison.Ordinal);
        Assert.Contains("Unsubscribe:\nhttps://digest.example/u?t=1&s=2\n", mail.Text.Fill(Odd), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_token_is_left_in_any_part()
    {
        var mail = await Rendered.MailAsync(GoldenTests.Sample("everything"));
        foreach (var part in new[] { mail.Subject, mail.Html, mail.Text })
            Assert.DoesNotContain(part.Fill(Odd), character => character is >= '\uE000' and <= '\uF8FF');
    }

    [Fact]
    public async Task Literal_pieces_are_not_empty_and_never_adjoin()
    {
        var mail = await Rendered.MailAsync(GoldenTests.Sample("everything"));
        foreach (var parts in new[] { mail.Subject.Parts, mail.Html.Parts, mail.Text.Parts })
        {
            Assert.DoesNotContain(parts, part => part.Text is "");
            Assert.DoesNotContain(parts.Zip(parts.Skip(1)), pair => pair.First.Text is not null && pair.Second.Text is not null);
        }
    }

    [Fact]
    public async Task A_rendered_mail_survives_being_stored_as_JSON()
    {
        var mail = await Rendered.MailAsync(GoldenTests.Sample("everything"));
        var stored = JsonSerializer.Deserialize<RenderedEmail>(JsonSerializer.Serialize(mail))!;
        Assert.Equal(mail.Html.Parts, stored.Html.Parts);
        Assert.Equal(mail.Html.Fill(Odd), stored.Html.Fill(Odd));
        Assert.Equal(mail.Hash, RenderedHash.Of(stored.Subject, stored.Html, stored.Text));
    }

    [Fact]
    public async Task The_web_page_has_fallbacks_and_no_recipient()
    {
        var issue = Samples.Valid("---\ntitle: Seven\npreheader: In short.\n---\nDear {{ name | reader }}, [leave]({{ unsubscribe_url }}).\n");
        var page = await Rendered.WebAsync(issue);
        Assert.Contains("Dear reader, ", page, StringComparison.Ordinal);
        Assert.Contains("<link rel=\"canonical\" href=\"https://digest.example/posts/week-7\">", page, StringComparison.Ordinal);
        Assert.Contains("<meta name=\"description\" content=\"In short.\">", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Unsubscribe", page, StringComparison.Ordinal);
        Assert.DoesNotContain("href=\"\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("feed", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_slot_that_an_issue_may_have_is_the_issues()
    {
        var many = Samples.ValidBody(string.Concat(Enumerable.Repeat("{{ attributes.city }}\n\n", IssueParser.MaxSlots)));
        Assert.Equal(IssueParser.MaxSlots, (await Rendered.TextAsync(many)).Split("Oslo").Length - 1);
    }
}
