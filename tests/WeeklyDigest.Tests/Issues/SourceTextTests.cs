using System.Text;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Tests.Issues;

public sealed class SourceTextTests
{
    [Theory]
    [InlineData("ab\ncd", 0, 1, 1)]
    [InlineData("ab\ncd", 2, 1, 3)]
    [InlineData("ab\ncd", 3, 2, 1)]
    [InlineData("ab\r\ncd", 4, 2, 1)]
    [InlineData("ab\r\ncd", 3, 1, 3)]
    [InlineData("ab\rcd", 3, 2, 1)]
    [InlineData("ab\n", 3, 2, 1)]
    [InlineData("", 0, 1, 1)]
    [InlineData("ab", 99, 1, 3)]
    [InlineData("ab", -1, 1, 1)]
    [InlineData("\n\n\n", 2, 3, 1)]
    public void Knows_line_and_column_of_an_offset(string text, int offset, int line, int column)
        => Assert.Equal((line, column), new SourceText(text).PlaceOf(offset));

    [Fact]
    public void Does_not_count_a_byte_order_mark() => Assert.Equal("é", SourceText.Decode([0xEF, 0xBB, 0xBF, 0xC3, 0xA9]).Text);

    [Fact]
    public void Names_the_first_byte_that_is_not_UTF8()
    {
        byte[] bytes = [.. "é\n"u8, 0xE9, .. "x"u8, 0xFF];
        var (text, bad) = SourceText.Decode(bytes);
        Assert.Equal((2, 3), bad);
        Assert.Equal("é\n\uFFFDx\uFFFD", text);
    }

    [Fact]
    public void Refuses_overlong_forms_and_surrogates()
    {
        Assert.NotNull(SourceText.Decode([0xC0, 0xAF]).Bad);
        Assert.NotNull(SourceText.Decode([0xED, 0xA0, 0x80]).Bad);
        Assert.Null(SourceText.Decode(Encoding.UTF8.GetBytes("😀")).Bad);
    }
}
