namespace WeeklyDigest.Tests.Issues;

/// <summary>What is beyond all reason is refused before Markdig works at it.</summary>
public sealed class IssueLimitsTests
{
    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void A_paragraphs_limits_are_the_same_whatever_ends_its_lines(string newline)
    {
        Assert.True(Refused("word\n", 30_000));
        Assert.True(Refused("[a\n", 3_000));
        Assert.True(Refused("a <?\n", 3_000));
        Assert.True(Refused("a <!X\n", 3_000));
        Assert.False(Refused("a < b ? c\n", 3_000));
        Assert.True(Refused("Call tel:12 or\nwrite to mailto:a@example.org or\nsee www.example.org or\nsee https://example.org or\n", 600));
        Assert.False(Refused("[a\n\n", 3_000));

        bool Refused(string lines, int times)
        {
            var text = "Hello.\n\n" + string.Concat(Enumerable.Repeat(lines, times));
            var (_, findings) = Samples.ParseBody(text.Replace("\n", newline, StringComparison.Ordinal));
            return findings.Any(finding => finding.Code == "too-complex");
        }
    }

    [Theory]
    [InlineData("\u00A0", true)]
    [InlineData("\u3000", true)]
    [InlineData("\u2003\u2028", true)]
    [InlineData("\u001F\u0085 \t", false)]
    public void Only_spaces_tabs_and_what_is_sent_as_a_space_make_a_line_blank(string line, bool goesOn)
    {
        Assert.Equal(goesOn, Refused("[a\n", 3_000));
        Assert.Equal(goesOn, Refused(new string('x', 1_000) + "\n", 150));
        var (row, rule) = (new string('|', 400), string.Concat(Enumerable.Repeat("|-", 400)));
        Assert.Equal(goesOn, Refused("|a\n", 300, $"{row}|\n{rule}|\n"));

        bool Refused(string text, int times, string before = "")
            => Samples.ParseBody(before + string.Concat(Enumerable.Repeat(text + line + "\n", times))).Findings.Any(finding => finding.Code == "too-complex");
    }

    [Fact]
    public void Refuses_tables_whose_short_rows_would_be_filled_up_to_very_many_cells()
    {
        var (row, line) = (new string('|', 400), string.Concat(Enumerable.Repeat("|-", 400)));
        var table = $"{row}|\n{line}|\n{string.Concat(Enumerable.Repeat("|a\n", 200))}\n";
        Assert.DoesNotContain(Samples.ParseBody(table).Findings, finding => finding.Code == "too-complex");
        var finding = Assert.Single(Samples.ParseBody("Hello.\n\n" + table + table).Findings);
        Assert.Equal(("too-complex", 6 + 203, 1), (finding.Code, finding.Line, finding.Column));
    }
}
