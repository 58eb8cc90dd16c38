using System.Text;
using CsCheck;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

public sealed class QuotedPrintableTests
{
    private static readonly Gen<string> Piece = Gen.OneOf(
        Gen.Char[' ', '~'].Where(c => c != '=').Array[0, 240].Select(string.Concat),
        Gen.OneOf(Gen.Char[' ', '~'], Gen.Const('='), Gen.Const('ä'), Gen.Const('\t')).Array[0, 240].Select(string.Concat));

    [Fact]
    public void Writes_what_it_encodes() => Piece.Sample(
        text =>
        {
            var buffer = new MessageBuffer();
            QuotedPrintable.Write(text, buffer);
            Assert.Equal(Encoding.ASCII.GetString(QuotedPrintable.Encode(Encoding.UTF8.GetBytes(text))), Encoding.ASCII.GetString(buffer.Written.Span));
        },
        iter: 2000);

    [Theory]
    [InlineData("Ada", "Ada")]
    [InlineData("a=b", "a=3Db")]
    [InlineData("ends in a space ", "ends in a space=20")]
    [InlineData("", "")]
    public void Encodes_only_what_has_to_be(string text, string expected)
        => Assert.Equal(expected, Encoding.ASCII.GetString(QuotedPrintable.Encode(Encoding.UTF8.GetBytes(text))));
}
