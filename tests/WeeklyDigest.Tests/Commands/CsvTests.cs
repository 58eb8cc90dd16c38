using WeeklyDigest.Server.Commands;

namespace WeeklyDigest.Tests.Commands;

public sealed class CsvTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData(null, "")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"hi\"", "\"say \"\"hi\"\"\"")]
    [InlineData("two\r\nlines", "\"two\r\nlines\"")]
    [InlineData("=1+1", "=1+1")]
    public async Task Writes_values_as_they_are(string? value, string expected) => Assert.Equal($"{expected},x\r\n", await WriteAsync(value, forSpreadsheet: false));

    [Theory]
    [InlineData("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\"")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@x", "'@x")]
    [InlineData("\tx", "\"'\tx\"")]
    [InlineData("a=b", "a=b")]
    public async Task Defuses_formulas_for_spreadsheets_when_asked(string value, string expected) => Assert.Equal($"{expected},x\r\n", await WriteAsync(value, forSpreadsheet: true));

    private static async Task<string> WriteAsync(string? value, bool forSpreadsheet)
    {
        using var target = new StringWriter();
        await new Csv(target, forSpreadsheet).WriteAsync([value, "x"]);
        return target.ToString();
    }
}
