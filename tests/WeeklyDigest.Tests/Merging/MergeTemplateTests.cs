using WeeklyDigest.Merging;

namespace WeeklyDigest.Tests.Merging;

public sealed class MergeTemplateTests
{
    private static readonly MergeValues Ada = new(
        "Ada <b>&\"'", "ada+x@example.com", new Dictionary<string, string> { ["city"] = "São Paulo/?#", ["empty"] = "" }, "https://example.com/unsubscribe/t?a=1&b=2");

    [Theory]
    [InlineData(MergeEncoding.Plain, "Ada <b>&\"'")]
    [InlineData(MergeEncoding.Html, "Ada &lt;b&gt;&amp;&quot;&#39;")]
    [InlineData(MergeEncoding.Url, "Ada%20%3Cb%3E%26%22%27")]
    public void Encodes_a_value_as_its_place_demands(MergeEncoding encoding, string expected)
        => Assert.Equal("[" + expected + "]", Template(new MergeSlot(MergeField.Name, null, "x"), encoding).Fill(Ada));

    [Theory]
    [InlineData(MergeField.Name, null, "Ada <b>&\"'")]
    [InlineData(MergeField.Email, null, "ada+x@example.com")]
    [InlineData(MergeField.Attribute, "city", "São Paulo/?#")]
    [InlineData(MergeField.Attribute, "empty", "fallback")]
    [InlineData(MergeField.Attribute, "none", "fallback")]
    [InlineData(MergeField.UnsubscribeUrl, null, "https://example.com/unsubscribe/t?a=1&b=2")]
    public void Fills_each_field(MergeField field, string? attribute, string expected)
        => Assert.Equal(expected, Ada.Resolve(new MergeSlot(field, attribute, "fallback")));

    [Fact]
    public void Falls_back_where_there_is_no_name()
        => Assert.Equal("[there &amp; then]", Template(new MergeSlot(MergeField.Name, null, "there & then"), MergeEncoding.Html).Fill(Ada with { Name = "" }));

    [Fact]
    public void Leaves_literal_text_alone()
        => Assert.Equal("a <b> & {{ name }}", MergeTemplate.Of("a <b> & {{ name }}").Fill(Ada));

    [Fact]
    public void Of_nothing_has_no_parts() => Assert.Empty(MergeTemplate.Of("").Parts);

    private static MergeTemplate Template(MergeSlot slot, MergeEncoding encoding)
        => new([new MergePart("[", null, MergeEncoding.Plain), new MergePart(null, slot, encoding), new MergePart("]", null, MergeEncoding.Plain)]);
}
