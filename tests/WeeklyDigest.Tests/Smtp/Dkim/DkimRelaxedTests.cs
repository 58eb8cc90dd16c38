using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp.Dkim;

public sealed partial class DkimRelaxedTests
{
    [Theory]
    [InlineData(" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n")] // RFC 6376 section 3.4.5
    [InlineData("", "")]
    [InlineData("\r\n\r\n", "")]
    [InlineData(" ", "")]
    [InlineData(" \t\r\n \r\n", "")]
    [InlineData("a", "a\r\n")]
    [InlineData("a \t", "a\r\n")]
    [InlineData("a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n")]
    [InlineData("\ta \t b\t\r\n", " a b\r\n")]
    [InlineData("a \tb\t c", "a b c\r\n")]
    public void Shrinks_the_white_space_of_a_body(string body, string expected) => Assert.Equal(expected, Body(body));

    [Theory]
    [InlineData("A: X", "a:X")] // RFC 6376 section 3.4.5
    [InlineData("B : Y\t\r\n\tZ  ", "b:Y Z")]
    [InlineData("Subject:", "subject:")]
    [InlineData("Subject: \r\n  a:b \t c", "subject:a:b c")]
    [InlineData("TO:ä", "to:ä")]
    public void Unfolds_a_field(string field, string expected)
    {
        var target = new byte[Encoding.UTF8.GetByteCount(field)];
        Assert.Equal(expected, Encoding.UTF8.GetString(target, 0, DkimRelaxed.Field(Encoding.UTF8.GetBytes(field), target)));
    }

    [Fact]
    public void Agrees_with_the_rules_written_down_plainly()
        => Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]).Array[0, 60].Select(string.Concat).Sample(body => Assert.Equal(Plainly(body), Body(body)), iter: 3000);

    private static readonly string[] Pieces = ["a", " ", "\t", "\r\n", "  ", ".", "ä"];

    private static string Plainly(string body)
    {
        var lines = body.Split("\r\n").Select(line => Runs().Replace(line, " ").TrimEnd(' '));
        var text = string.Join("\r\n", lines);
        while (text.EndsWith("\r\n", StringComparison.Ordinal)) text = text[..^2];
        return text.Length == 0 ? "" : text + "\r\n";
    }

    private static string Body(string body)
    {
        var target = new byte[Encoding.UTF8.GetByteCount(body) + 2];
        return Encoding.UTF8.GetString(target, 0, DkimRelaxed.Body(Encoding.UTF8.GetBytes(body), target));
    }

    [GeneratedRegex("[ \t]+")]
    private static partial Regex Runs();
}
