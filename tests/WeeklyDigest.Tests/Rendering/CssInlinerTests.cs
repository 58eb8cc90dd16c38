using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using WeeklyDigest.Rendering;

namespace WeeklyDigest.Tests.Rendering;

public sealed class CssInlinerTests
{
    [Theory]
    [InlineData("p{color:red} .a{color:blue}", "color:blue")]
    [InlineData(".a{color:blue} p{color:red}", "color:blue")]
    [InlineData("p{color:red} p{color:blue}", "color:blue")]
    [InlineData("#i{color:red} .a.b{color:blue}", "color:red")]
    [InlineData(".x, p, #i{color:red} .a{color:blue}", "color:red")]
    [InlineData("p{color:red!important} #i{color:blue}", "color:red")]
    [InlineData("p{padding-left:9px} #i{padding:1px 2px}", "padding-left:9px;padding:1px 2px")]
    [InlineData("p{padding:1px} .a{padding-left:9px} .b{padding:0}", "padding-left:9px;padding:0")]
    [InlineData("div > p{color:red} .z p{color:blue}", "color:red")]
    [InlineData("p{mso-line-height-rule:exactly;-webkit-text-size-adjust:100%}", "mso-line-height-rule:exactly;-webkit-text-size-adjust:100%")]
    [InlineData("p{font-family:\"Segoe UI\", Arial;color:#a1B2c3}", "font-family:'Segoe UI',Arial;color:#a1B2c3")]
    [InlineData(":root{--a:#111;--b:var(--a)} p{color:var(--b)}", "color:#111")]
    public void Rules_cascade_into_the_attribute(string css, string expected)
        => Assert.Equal(expected, Inlined(css, "<div><p id=i class='a b'>x</p></div>").QuerySelector("p")!.GetAttribute("style"));

    [Theory]
    [InlineData("p{color:red}", "color:blue")]
    [InlineData("p{color:red!important}", "color:red")]
    public void An_attribute_of_the_template_wins_over_all_but_important_rules(string css, string expected)
        => Assert.Equal(expected, Inlined(css, "<p style='color:blue'>x</p>").QuerySelector("p")!.GetAttribute("style"));

    [Fact]
    public void Media_rules_stay_and_win()
    {
        var document = Inlined("p{margin:0} @media (min-width: 640px){p{margin:9px} .unused{margin:1px}}", "<p>x</p>");
        Assert.Equal("@media (min-width: 640px){\np{margin:9px!important}\n}", Styles(document).Single());
    }

    [Fact]
    public void Dark_mode_repeats_every_rule_whose_colours_it_changes()
    {
        var document = Inlined(":root{--ink:#111} @media (prefers-color-scheme: dark){:root{--ink:#eee}} p{color:var(--ink);margin:0} .unused{color:var(--ink)}", "<p>x</p>");
        Assert.Equal("color:#111;margin:0", document.QuerySelector("p")!.GetAttribute("style"));
        Assert.Equal(["@media (prefers-color-scheme:dark){\np{color:#eee!important}\n}", "[data-ogsc] p{color:#eee!important}"], Styles(document));
    }

    [Theory]
    [InlineData("p{border-left:1px solid var(--ink)} .a{border-left:0;margin:0}", "p{border-left:1px solid #eee!important}\n.a{border-left:0!important}")]
    [InlineData("p{background-color:var(--ink)} .a{background:none}", "p{background-color:#eee!important}\n.a{background:none!important}")]
    [InlineData("p{color:red} p{color:var(--ink)}", "p{color:#eee!important}")]
    [InlineData(".a{color:var(--ink)} p{color:red}", ".a{color:#eee!important}")]
    [InlineData("p{color:var(--ink)} i{color:red}", "p{color:#eee!important}")]
    public void Dark_mode_repeats_what_overrules_a_rule_that_it_repeats(string css, string expected)
    {
        var document = Inlined(":root{--ink:#111} @media (prefers-color-scheme: dark){:root{--ink:#eee}} " + css, "<p class=a>x</p><i>y</i>");
        Assert.Equal($"@media (prefers-color-scheme:dark){{\n{expected}\n}}", Styles(document).First());
    }

    [Fact]
    public void What_a_reader_does_stays_a_rule()
    {
        var document = Inlined("a:hover{color:red} b:hover{color:red} a{color:blue}", "<a href='#'>x</a>");
        Assert.Equal("color:blue", document.QuerySelector("a")!.GetAttribute("style"));
        Assert.Equal("a:hover{color:red!important}", Styles(document).Single());
    }

    [Fact]
    public void Classes_that_no_rule_needs_any_more_go()
    {
        var document = Inlined(".a{color:red} @media print{.b{color:red}}", "<p class='a b c'>x</p><i class=a>y</i>");
        Assert.Equal("b", document.QuerySelector("p")!.ClassName);
        Assert.False(document.QuerySelector("i")!.HasAttribute("class"));
    }

    private static IEnumerable<string> Styles(IDocument document) => document.QuerySelectorAll("style").Select(style => style.TextContent);

    private static IDocument Inlined(string css, string body)
    {
        var document = new HtmlParser().ParseDocument(body);
        new CssInliner(StyleSheet.Parse(new TemplateSource("styles.css", css, [], ""))).Inline(document);
        return document;
    }
}
