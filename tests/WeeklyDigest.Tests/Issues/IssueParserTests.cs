using System.Security.Cryptography;
using System.Text;
using WeeklyDigest.Audience;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Tests.Issues;

/// <summary>What the specification in docs/issue-format.md cannot show in text: bytes, limits, and what holds for every issue.</summary>
public sealed class IssueParserTests
{
    [Fact]
    public void Names_the_first_byte_that_is_not_UTF8_and_checks_the_rest()
    {
        byte[] bytes = [.. "---\ntitle: x\n---\nCaf"u8, 0xE9, .. " [x]()\n"u8];
        var (issue, findings) = IssueParser.Parse(bytes, "week-7");
        Assert.Null(issue);
        Assert.Equal([("not-utf8", 4, 4), ("link-target-missing", 4, 6)], findings.Select(finding => (finding.Code, finding.Line, finding.Column)));
        Assert.Contains("0xE9", findings[0].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x61, 0x00 }, "not-utf8", 1, 1)]
    [InlineData(new byte[] { 0xFE, 0xFF, 0x00, 0x61 }, "not-utf8", 1, 1)]
    [InlineData(new byte[] { 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00 }, "binary", 3, 1)]
    [InlineData(new byte[] { 0x50, 0x4B, 0x03, 0x04, 0x00 }, "binary", 1, 5)]
    [InlineData(new byte[] { 0xEF, 0xBB, 0xBF, 0x61, 0x0A, 0xC3, 0xA9, 0x00 }, "binary", 2, 2)]
    public void Says_of_a_file_that_is_no_text_only_that(byte[] bytes, string code, int line, int column)
    {
        var finding = Assert.Single(IssueParser.Parse(bytes, "week-7").Findings);
        Assert.Equal((Severity.Error, code, line, column), (finding.Severity, finding.Code, finding.Line, finding.Column));
    }

    [Fact]
    public void Takes_two_megabytes_and_not_a_byte_more()
    {
        var text = new StringBuilder("---\ntitle: x\n---\n");
        while (text.Length < IssueParser.MaxBytes) text.Append(new string('a', 999)).Append("\n\n");
        var bytes = Encoding.ASCII.GetBytes(text.ToString());
        Assert.NotNull(IssueParser.Parse(bytes.AsMemory(0, IssueParser.MaxBytes), "week-7").Issue);
        Assert.Equal("too-large", Assert.Single(IssueParser.Parse(bytes.AsMemory(0, IssueParser.MaxBytes + 1), "week-7").Findings).Code);
    }

    [Fact]
    public void Refuses_a_title_beyond_a_thousand_characters()
        => Assert.Contains(Samples.Parse($"---\ntitle: {new string('x', 1001)}\n---\nText.\n").Findings, finding => finding is { Code: "front-matter-too-long", Line: 2, Column: 8 });

    [Fact]
    public void Says_of_endless_front_matter_nothing_but_that()
        => Assert.Equal(
            [("front-matter-too-long", 1, 1)],
            Samples.Parse($"---\ntitle: {new string('x', 1_500_000)}\n---\nText.\n").Findings.Select(finding => (finding.Code, finding.Line, finding.Column)));

    [Theory]
    [InlineData("", 4)]
    [InlineData("\n\nHello.\n\n", 8)]
    public void Says_where_the_text_is_that_nests_too_deeply(string before, int line)
    {
        var deep = string.Concat(Enumerable.Repeat("*a **a ", 20_000));
        var finding = Assert.Single(Samples.Parse($"---\ntitle: x\n---\n{before}{deep}\n").Findings);
        Assert.Equal(("too-complex", line, 1), (finding.Code, finding.Line, finding.Column));
    }

    [Fact]
    public void An_anchor_does_without_what_has_no_normal_form()
        => Assert.Equal(["a-b", "e"], Samples.ValidBody("### a&#xFFFE;b\n\nOne.\n\n### é\uFFFE\n\nTwo.\n").Entries.Select(entry => entry.Anchor));

    [Fact]
    public void Says_where_the_paragraph_is_that_has_no_end()
    {
        var finding = Assert.Single(Samples.Parse($"---\ntitle: x\n---\n\nHello.\n\n  {string.Concat(Enumerable.Repeat("word ", 30_000))}\n").Findings);
        Assert.Equal(("too-complex", 7, 3), (finding.Code, finding.Line, finding.Column));
    }

    [Theory]
    [InlineData("\uFEFF---\ntitle: Frogs\n---\nText [x]().\n")]
    [InlineData("---\r\ntitle: Frogs\r\n---\r\nText [x]().\r\n")]
    [InlineData("---\rtitle: Frogs\r---\rText [x]().\r")]
    [InlineData("---  \ntitle: Frogs\n...\nText [x]().")]
    public void Counts_lines_as_editors_do(string text)
    {
        var finding = Assert.Single(Samples.Parse(text).Findings);
        Assert.Equal((4, 6), (finding.Line, finding.Column));
    }

    [Fact]
    public void Needs_no_first_line_without_a_blank_one()
        => Assert.Equal("Frogs", Samples.Valid("\n  \n---\ntitle: Frogs\n---\nText.\n").Title);

    [Fact]
    public void Hashes_the_bytes_of_the_file()
    {
        var bytes = File.ReadAllBytes(Samples.WeekOne);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), IssueParser.Parse(bytes, "week-1").Issue!.Hash);
    }

    [Theory]
    [InlineData("\"Frogs\\r\\nBcc: all@example.com\"", "Frogs Bcc: all@example.com")]
    [InlineData("|\n  Frogs\n  and toads", "Frogs and toads")]
    [InlineData("\"Frogs\\u2028and toads\"", "Frogs and toads")]
    [InlineData("'Frogs''  '", "Frogs'")]
    [InlineData("2020", "2020")]
    public void Puts_a_title_on_one_line(string yaml, string title) => Assert.Equal(title, Samples.Valid($"---\ntitle: {yaml}\n---\nText.\n").Subject);

    [Theory]
    [InlineData("\"a\\u0007b\"", "front-matter-control-character")]
    [InlineData("\"a\\0b\"", "front-matter-control-character")]
    [InlineData("\"a\\e[31mb\"", "front-matter-control-character")]
    [InlineData("~", "title-empty")]
    [InlineData("", "title-empty")]
    [InlineData("[a]", "front-matter-type")]
    [InlineData("{a: b}", "front-matter-type")]
    [InlineData("*alias", "front-matter-type")]
    public void Refuses_a_title_that_cannot_be_a_subject(string yaml, string code)
        => Assert.Contains(Samples.Parse($"---\ntitle: {yaml}\n---\nText.\n").Findings, finding => finding.Code == code && finding.Line == 2);

    [Theory]
    [InlineData("title: \"{{ email }} \\uE000\\uE100\"")]
    [InlineData("title: \"{{ email }}\"\nsubject: \"\\uE000\\uE100\"")]
    public void Lets_no_escape_make_up_a_slot(string frontMatter)
    {
        var issue = Samples.Valid($"---\n{frontMatter}\n---\nText.\n");
        Assert.DoesNotContain("\uE000\uE100", issue.Subject.Replace("\uE000\uE100\uE001", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Lets_no_entity_make_up_a_slot()
        => Assert.Contains(Samples.ParseBody("{{ email }} &#xE000;&#57600; [x](https://example.com/&#xe000;)").Findings, finding => finding is { Code: "private-use-character", Line: 4, Column: 13 });

    [Fact]
    public void Warns_of_control_characters_and_sends_spaces()
    {
        var (issue, findings) = Samples.ParseBody("a\u001B[31m b\n");
        Assert.Equal(("control-character", 4, 2), (findings[0].Code, findings[0].Line, findings[0].Column));
        Assert.DoesNotContain('\u001B', issue!.Preheader!);
    }

    [Fact]
    public void Needs_a_permalink_where_the_file_name_makes_none()
    {
        const string Text = "---\ntitle: x\n---\nText.\n";
        Assert.Equal("permalink-missing", Assert.Single(Samples.Parse(Text, "my issue").Findings).Code);
        Assert.Equal("permalink-missing", Assert.Single(Samples.Parse(Text, "").Findings).Code);
        Assert.Equal("my.issue_2", Samples.Parse(Text, "my.issue_2").Issue!.Slug.Value);
    }

    [Fact]
    public void Cuts_a_preheader_from_the_intro_at_a_word_and_never_within_a_slot()
    {
        var words = Samples.ValidBody(string.Join(' ', Enumerable.Repeat("frog,", 60))).Preheader!;
        Assert.InRange(words.Length, 100, 141);
        Assert.EndsWith("frog…", words, StringComparison.Ordinal);
        var slots = Samples.ValidBody(new string('x', 130) + "{{ attributes.town | your town }}" + new string('x', 50));
        Assert.Equal(new string('x', 130) + "…", slots.Preheader);
        Assert.Null(Samples.ValidBody("### Frogs\n\nText.\n").Preheader);
    }

    [Theory]
    [InlineData(null, false, true)]
    [InlineData("2020-09-21", false, true)]
    [InlineData("2020-09-22", false, false)]
    [InlineData("2020-09-01", true, false)]
    public void Is_ready_when_its_day_has_come_and_it_is_no_draft(string? date, bool draft, bool ready)
    {
        var issue = Samples.Valid($"---\ntitle: x\ndate: {date}\ndraft: {(draft ? "yes" : "no")}\n---\nText.\n");
        Assert.Equal(ready, issue.IsReady(new DateOnly(2020, 9, 21)));
    }

    [Theory]
    [InlineData("readers")]
    [InlineData("Readers-2_a.b")]
    [InlineData("größe")]
    [InlineData("...")]
    [InlineData("a b")]
    [InlineData("a/b")]
    public void Takes_the_list_names_that_lists_can_have(string name)
    {
        var (issue, _) = Samples.Parse($"---\ntitle: x\nlists: ['{name}']\n---\nText.\n");
        Assert.Equal(ListName.TryParse(name, out var list) ? [list.Value] : null, issue?.Lists);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ~")]
    [InlineData(" # staff")]
    [InlineData(" \"\"")]
    [InlineData(" [~]")]
    [InlineData(" [\"\", ' ']")]
    [InlineData("\n  -")]
    [InlineData("\n  - # staff\n  - null")]
    public void Sends_to_every_list_only_where_nothing_is_said_of_lists(string value)
    {
        var (issue, findings) = Samples.Parse($"---\ntitle: x\nlists:{value}\nauthor: Ada\n---\nText.\n");
        Assert.Null(issue);
        Assert.Equal((Severity.Error, "lists-empty"), (findings.Single().Severity, findings.Single().Code));
    }

    [Theory]
    [InlineData("Lists: [staff]", "lists")]
    [InlineData("LISTS: staff", "lists")]
    [InlineData("Draft: true", "draft")]
    [InlineData("Date: 2020-09-21", "date")]
    public void Refuses_a_key_that_would_hold_the_issue_back_if_it_were_written_small(string line, string meant)
    {
        var finding = Assert.Single(Samples.Parse($"---\ntitle: x\n{line}\n---\nText.\n").Findings);
        Assert.Equal((Severity.Error, "front-matter-unknown-key", 3, 1), (finding.Severity, finding.Code, finding.Line, finding.Column));
        Assert.Contains($"write {meant}", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_as_many_slots_as_a_rendering_can_tell_from_those_of_the_template()
    {
        var most = Repeated("{{ name }} \\{{\n\n", IssueParser.MaxSlots / 2);
        Assert.NotNull(Samples.ParseBody(most).Issue);
        var finding = Assert.Single(Samples.ParseBody($"{most}{{{{ name }}}}\n").Findings);
        Assert.Equal((Severity.Error, "slot-unknown", IssueParser.MaxSlots + 4), (finding.Severity, finding.Code, finding.Line));
        Assert.Contains("More than 4096 merge slots", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ name }}", true)]
    [InlineData("{{ attributes.city }} {{ name | }}", true)]
    [InlineData("{{ name | Friend }}", false)]
    [InlineData("{{ email }}", false)]
    [InlineData("For {{ name }}", false)]
    public void Warns_of_a_subject_that_is_empty_for_some(string subject, bool warns)
    {
        var (issue, findings) = Samples.Parse($"---\ntitle: x\nsubject: \"{subject}\"\n---\nText.\n");
        Assert.NotNull(issue);
        Assert.Equal(warns ? [(Severity.Warning, "subject-empty", 3, 10)] : [], findings.Select(finding => (finding.Severity, finding.Code, finding.Line, finding.Column)));
    }

    [Fact]
    public void Warns_of_a_footnote_that_nothing_refers_to()
    {
        var findings = Samples.ParseBody("A claim.[^1] Another.[^why]\n\n[^1]: Its reason.\n\n[^why]: Why.\n\n[^x]: A whole paragraph.\n\n    And one more.\n").Findings;
        Assert.Equal([(Severity.Warning, "footnote-unused", 10, 1)], findings.Select(finding => (finding.Severity, finding.Code, finding.Line, finding.Column)));
        Assert.Contains("[^x]", findings[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keeps_five_hundred_findings_and_says_that_there_are_more()
    {
        var findings = Samples.ParseBody(string.Concat(Enumerable.Repeat("[x]()\n\n", 900))).Findings;
        Assert.Equal(501, findings.Count);
        Assert.Equal(("too-many-findings", Severity.Error), (findings[^1].Code, findings[^1].Severity));
    }

    /// <summary>Texts on which a Markdown or YAML reader takes a square of the time, a stack without end, or memory without end.</summary>
    public static TheoryData<string> Hostile() =>
    [
        Repeated("[", 500_000), Repeated("[a](", 1990), Repeated("> ", 45_000), Repeated("- ", 45_000), Repeated("*a ", 30_000), Repeated("<!-- ", 18_000), Repeated("(http://a", 200_000),
        Repeated("{{ name }} ", 150_000), Repeated("{{", 500_000), Repeated("### a\n\n", 30_000), Repeated("<div>\n\n", 60_000),
        "---\ntitle: " + Repeated("[", 30_000), "---\ntitle: " + Repeated("{a: ", 8_000), "---\n" + Repeated("? ", 15_000), "---\n" + Repeated("- ", 15_000), "---\n: &a \t\r    \n---\nx",
        "---\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ntitle: *c\n---\nText.", "---\ntitle: " + Repeated("x", 1_500_000), "---\ntitle: !!System.Diagnostics.Process x\n---\nText.",
    ];

    [Theory]
    [MemberData(nameof(Hostile), DisableDiscoveryEnumeration = true)]
    public void Survives_hostile_texts_on_a_small_stack_and_does_not_hang(string text)
    {
        const int SmallStack = 512 * 1024;
        var bytes = Encoding.UTF8.GetBytes("---\ntitle: x\n---\n" is var front && text.StartsWith("---", StringComparison.Ordinal) ? text : front + text);
        (Issue? Issue, IReadOnlyList<Finding> Findings) result = default;
        var thread = new Thread(() => result = IssueParser.Parse(bytes, "week-7"), SmallStack);
        thread.Start();
        // Seconds on an idle machine; a text that costs more than linear time would take hours.
        Assert.True(thread.Join(TimeSpan.FromMinutes(3)), "The parser hangs.");
        Assert.NotNull(result.Findings);
    }

    private static string Repeated(string piece, int count) => string.Concat(Enumerable.Repeat(piece, count));
}
