using System.Text;
using WeeklyDigest.Rendering;
using WeeklyDigest.Tests.Issues;

namespace WeeklyDigest.Tests.Rendering;

public sealed class TextTests
{
    [Theory]
    [InlineData("one two three", "one two|three")]
    [InlineData("https://example.com/long b", "https://example.com/long|b")]
    [InlineData("a\nb", "a|b")]
    [InlineData("\u6F22\u5B57\u6F22\u5B57\u6F22\u5B57", "\u6F22\u5B57\u6F22\u5B57|\u6F22\u5B57")]
    [InlineData("\u6F22\u5B57\u6F22\u5B57\u3002\u5B57", "\u6F22\u5B57\u6F22|\u5B57\u3002\u5B57")]
    [InlineData("", "")]
    public void Wraps_between_words_and_never_in_an_address(string text, string expected)
        => Assert.Equal(expected.Split('|'), TextWrap.Lines(text, 8));

    [Theory]
    [InlineData("")]
    [InlineData("Dear ")]
    public async Task A_slot_that_is_longer_than_a_line_of_mail_stays_whole(string before)
    {
        var fallback = string.Join(' ', Enumerable.Repeat("reader", 60));
        var issue = Samples.Valid($"---\ntitle: Seven, {{{{ name | {fallback} }}}}\n---\n{before}{{{{ name | {fallback} }}}}, see `{{{{ name | {fallback} }}}}`.\n\n{new string('x', 299)}{{{{ name }}}}{new string('x', 400)}\n");
        var text = await Task.Run(() => Rendered.TextAsync(issue)).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.Equal(4, text.Split("Ann").Length - 1);
        Assert.DoesNotContain(text, character => character is >= '\uE000' and <= '\uF8FF');
    }

    [Theory]
    [InlineData("> ", "# Frogs")]
    [InlineData("> ", "| a | b |\n|---|---|\n| c | d |")]
    [InlineData("- ", "# Frogs")]
    [InlineData("> ", "Some text[^1]\n\n[^1]: > # Note")]
    public async Task What_is_nested_beyond_the_width_of_the_text_is_written_all_the_same(string mark, string markdown)
    {
        var nested = string.Concat(Enumerable.Repeat(mark, 40));
        var text = await Rendered.TextAsync(Samples.ValidBody(string.Join('\n', markdown.Split('\n').Select(line => nested + line)) + "\n"));
        Assert.Contains(markdown.Split('\n')[0].Trim('#', ' ', '|')[..1], text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(230, 1)]
    [InlineData(1150, 5)]
    public void Reading_time_counts_words(int words, int minutes)
        => Assert.Equal(minutes, ReadingTime.Minutes([new StringBuilder().Insert(0, "don't ", words).ToString()]));

    [Fact]
    public void Reading_time_counts_ideographs()
        => Assert.Equal(5, ReadingTime.Minutes([new StringBuilder().Insert(0, "\u6F22", 2_000).ToString()]));

    [Fact]
    public async Task An_address_behind_words_is_numbered_and_listed_under_its_entry()
    {
        var text = await Rendered.TextAsync(Samples.ValidBody("See [one](https://example.com/1) and [two](https://example.com/2), then [one again](https://example.com/1).\n\n### Entry\n\n[Three](https://example.com/3).\n"));
        Assert.Contains("See one [1] and two [2], then one again [1].\n\n[1] https://example.com/1\n[2] https://example.com/2\n", text, StringComparison.Ordinal);
        Assert.Contains("Three [3].\n\n[3] https://example.com/3\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("en", "5 January 2026")]
    [InlineData("en-US", "January 5, 2026")]
    [InlineData("de", "Montag, 5. Januar 2026")]
    public async Task Dates_read_as_the_language_writes_them(string language, string date)
        => Assert.Contains(date, await Rendered.TextAsync(Samples.Valid($"---\ntitle: Seven\nlanguage: {language}\n---\nText.\n")), StringComparison.Ordinal);

    // The calendar of Saudi Arabia begins in 1900 and ends in November 2077.
    [Theory]
    [InlineData("ar-SA", "2077-11-16", "1500")]
    [InlineData("ar-SA", "2077-11-17", "2077")]
    [InlineData("ar-SA", "1900-01-01", "1900")]
    [InlineData("fa-IR", "0600-01-01", "600")]
    [InlineData("th-TH", "9999-12-31", "10542")]
    public async Task A_date_beyond_the_calendar_of_the_language_is_one_of_the_common_calendar(string language, string date, string year)
        => Assert.Contains(year, Latin(await Rendered.TextAsync(Samples.Valid($"---\ntitle: Seven\nlanguage: {language}\ndate: {date}\n---\nText.\n"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("he", "rtl")]
    [InlineData("ar-EG", "rtl")]
    [InlineData("fr", "ltr")]
    public async Task Language_says_the_direction(string language, string direction)
        => Assert.Contains($"<html lang=\"{language}\" dir=\"{direction}\"", await Rendered.HtmlAsync(Samples.Valid($"---\ntitle: Seven\nlanguage: {language}\n---\nText.\n")), StringComparison.Ordinal);

    [Theory]
    [InlineData("week 7 - lucky hardware", "Lucky hardware")]
    [InlineData("Week 7: iPhone news", "iPhone news")]
    [InlineData("week 8 - something", "week 8 - something")]
    public async Task Headline_does_not_say_the_number_again(string title, string headline)
    {
        var issue = Samples.Valid($"---\ntitle: '{title}'\n---\nText.\n") with { Number = 7 };
        Assert.Contains($">{headline}</h1>", await Rendered.HtmlAsync(issue), StringComparison.Ordinal);
    }

    private static string Latin(string text) => string.Concat(text.Select(c => char.IsDigit(c) ? $"{char.GetNumericValue(c):f0}" : $"{c}"));
}
