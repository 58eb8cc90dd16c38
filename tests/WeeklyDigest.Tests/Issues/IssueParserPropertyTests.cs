using System.Text;
using CsCheck;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Tests.Issues;

/// <summary>Whatever the bytes are: no exception, findings inside the file, and an issue exactly where there is no error.</summary>
public sealed class IssueParserPropertyTests
{
    private static readonly byte[] WeekOne = File.ReadAllBytes(Samples.WeekOne);

    // Pieces that mean something to one of the readers the bytes go through.
    private static readonly string[] Pieces =
    [
        "---\n", "...\n", "title: ", "title: x\n", "permalink: ", "/posts/a\n", "lists: [a, b]\n", "date: 2020-09-21\n", "draft: yes\n", "'", "\"", "\\u0000", "\\uE000\\uE100",
        "&a ", "*a ", "!!str ", "? ", ": ", "- ", "{ ", "} ", "[", "]", "(", ")", "](", "](/x)", "](javascript:x)", "![", "{{ name }}", "{{ name | you }}", "{{", "}}", "\\{{",
        "### ", "# ", "#### a\n", "**What is it?** ", "**", "_", "~~", "`", "```\n", "> ", "1. ", "- [ ] ", "| a | b |\n|---|---|\n", "[^1]", "[^1]: note\n", "[a]: https://a\n", "<br>",
        "<!-- ", " -->", "<script>", "</script>\n", "<sub>", "<a href='x'>", "https://example.com/", "www.example.com ", "<https://example.com>", "&amp;", "&#xE000;", "&#xD800;", "&#0;", "### a&#xFFFE;", "\uFFFE",
        "\n", "\r\n", "\r", "\n\n", "\t", " ", "    ", "\\", "a", "é", "日本", "😀", "\u2028", "\u0085", "\uE000", "\uE100", "\u0007", "%", "x: ", "#", "|", ">", "|-\n ", ">+2\n",
    ];

    private static readonly Gen<byte[]> Bytes = Gen.Byte.Array[0, 400];

    private static readonly Gen<byte[]> Snippets = Gen.OneOf(Pieces).Array[0, 60].Select(pieces => Encoding.UTF8.GetBytes(string.Concat(pieces)));

    private static readonly Gen<byte[]> BelowTitle = Snippets.Select(bytes => (byte[])[.. "---\ntitle: x\n---\n"u8, .. bytes]);

    private static readonly Gen<byte[]> InFrontMatter = Snippets.Select(bytes => (byte[])[.. "---\n"u8, .. bytes, .. "\n---\nText.\n"u8]);

    private static readonly Gen<byte[]> Mutated = Gen.Select(Gen.Int[0, WeekOne.Length], Gen.Int[0, 200], Gen.OneOf(Gen.Byte.Array[0, 8], Gen.OneOf(Pieces).Select(Encoding.UTF8.GetBytes)))
        .Array[1, 6].Select(edits => edits.Aggregate(WeekOne, (bytes, edit) => Spliced(bytes, edit.Item1, edit.Item2, edit.Item3)));

    [Fact]
    public void Random_bytes_never_break_it() => Bytes.Sample(Holds, iter: 1500);

    [Fact]
    public void Random_markup_never_breaks_it() => Gen.OneOf(Snippets, BelowTitle, InFrontMatter).Sample(Holds, iter: 4000);

    [Fact]
    public void Mutations_of_a_real_issue_never_break_it() => Mutated.Sample(Holds, iter: 200);

    private static void Holds(byte[] bytes)
    {
        var (issue, findings) = IssueParser.Parse(bytes, "week-7");
        Assert.Equal(issue is null, findings.Any(finding => finding.Severity == Severity.Error));
        var lines = LinesOf(bytes);
        Assert.All(findings, finding =>
        {
            Assert.InRange(finding.Line, 1, lines.Length);
            Assert.InRange(finding.Column, 1, lines[finding.Line - 1].Length + 1);
            Assert.DoesNotContain(finding.Message, character => char.IsControl(character) || character is >= '\uE000' and <= '\uF8FF');
        });
        Assert.Equal(findings.OrderBy(finding => finding.Line).ThenBy(finding => finding.Column), findings);
        if (issue is not null) HoldsFor(issue);
    }

    private static void HoldsFor(Issue issue)
    {
        Assert.NotEmpty(issue.TitleParts);
        Assert.DoesNotContain(new[] { issue.Title, issue.Subject, issue.Preheader ?? "" }, text => text.Any(char.IsControl));
        Assert.Equal(issue.Entries.Count, issue.Entries.Select(entry => entry.Anchor).Distinct().Count());
        Assert.All(issue.Entries.SelectMany(entry => entry.Links), link => Assert.True(Uri.TryCreate(link.Url, UriKind.Absolute, out _)));
    }

    // Decoded and split by other means than the parser's own.
    private static string[] LinesOf(byte[] bytes)
    {
        using var reader = new StreamReader(new MemoryStream(bytes), new UTF8Encoding(false), detectEncodingFromByteOrderMarks: bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble));
        return reader.ReadToEnd().Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Split('\n');
    }

    private static byte[] Spliced(byte[] bytes, int at, int removed, byte[] inserted)
    {
        var start = Math.Min(at, bytes.Length);
        return [.. bytes[..start], .. inserted, .. bytes[Math.Min(start + removed, bytes.Length)..]];
    }
}
