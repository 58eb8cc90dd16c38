using CsCheck;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Tests.Merging;

public sealed class SlotTokensTests
{
    private readonly List<MergePart> _table = [];
    private readonly List<(int Offset, string Message)> _problems = [];

    [Fact]
    public void Keep_the_length_and_all_that_is_no_slot()
    {
        var text = Tokenize("Hi {{ name | there }}, from {{attributes.City}}.");
        Assert.Equal("Hi {{ name | there }}, from {{attributes.City}}.".Length, text.Length);
        Assert.Equal([(3, 18, 0), (28, 19, 1)], SlotTokens.Find(text));
        Assert.StartsWith("Hi ", text, StringComparison.Ordinal);
        Assert.Empty(_problems);
    }

    [Theory]
    [InlineData("{{ name }}", MergeField.Name, null, "")]
    [InlineData("{{name|there}}", MergeField.Name, null, "there")]
    [InlineData("{{ name | a | b }}", MergeField.Name, null, "a | b")]
    [InlineData("{{ email }}", MergeField.Email, null, "")]
    [InlineData("{{ unsubscribe_url }}", MergeField.UnsubscribeUrl, null, "")]
    [InlineData("{{ attributes.City | your city }}", MergeField.Attribute, "city", "your city")]
    [InlineData("{{ attributes.größe }}", MergeField.Attribute, "größe", "")]
    public void Know_the_slots(string source, MergeField field, string? attribute, string fallback)
    {
        Tokenize(source);
        Assert.Equal(new MergeSlot(field, attribute, fallback), Assert.Single(_table).Slot);
    }

    [Theory]
    [InlineData("a {{ nmae }}", 2)]
    [InlineData("a {{ Name }}", 2)]
    [InlineData("{{}}", 0)]
    [InlineData("a\n{{ name\n}}", 2)]
    [InlineData("{{ name }", 0)]
    [InlineData("{{ attributes. }}", 0)]
    [InlineData("{{ attributes.a b }}", 0)]
    [InlineData("{{{ name }}}", 0)]
    [InlineData("a \uE000\uE100", 2)]
    public void Report_what_is_none_with_its_offset(string source, int offset)
    {
        Tokenize(source);
        Assert.Equal(offset, _problems[0].Offset);
    }

    [Fact]
    public void Report_all_problems_at_once()
    {
        Tokenize("{{ a }} {{ name }} {{ b }} {{");
        Assert.Equal([0, 19, 27], _problems.Select(problem => problem.Offset));
    }

    [Fact]
    public void Let_two_braces_be_written()
    {
        var text = Tokenize(@"\{{ name }} and {{ name | you }}");
        Assert.Equal("{{ name }} and you", SlotTokens.AtFallback(text, _table));
        Assert.Equal(2, _table.Count);
    }

    [Fact]
    public void Cannot_be_forged_by_characters_of_the_source()
    {
        var text = Tokenize("{{ email }} \uE000\uE100\uE001");
        Assert.Single(SlotTokens.Find(text));
        Assert.NotEmpty(_problems);
    }

    [Fact]
    public void Adjoin_without_merging()
    {
        var text = Tokenize("{{name|a}}{{name|b}}");
        Assert.Equal([0, 1], SlotTokens.Find(text).Select(token => token.Index));
        Assert.Equal("ab", SlotTokens.AtFallback(text, _table));
    }

    [Fact]
    public void Say_so_when_there_are_too_many()
    {
        Tokenize(string.Concat(Enumerable.Repeat("{{name}}", 7000)));
        Assert.True(_table.Count > 6000);
        Assert.Equal(7000 - _table.Count, _problems.Count);
    }

    [Fact]
    public void Keep_every_text_its_length_and_every_token_in_the_table() => Gen.OneOf("{{", "}}", " name ", "|", "\\", "{", "x", "\uE000", "\uE100", "\uE001", "\n", "é").Array[0, 30].Sample(pieces =>
    {
        var source = string.Concat(pieces);
        var table = new List<MergePart>();
        var problems = new List<(int Offset, string Message)>();
        var text = SlotTokens.Tokenize(source, table, problems);
        Assert.Equal(source.Length, text.Length);
        Assert.Equal(table.Count, SlotTokens.Find(text).Count());
        Assert.All(SlotTokens.Find(text), token => Assert.InRange(token.Index, 0, table.Count - 1));
        Assert.All(problems, problem => Assert.InRange(problem.Offset, 0, source.Length - 1));
    }, iter: 5000);

    private string Tokenize(string source) => SlotTokens.Tokenize(source, _table, _problems);
}
