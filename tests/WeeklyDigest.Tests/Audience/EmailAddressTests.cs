using CsCheck;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Tests.Audience;

public sealed class EmailAddressTests
{
    [Theory]
    [InlineData("ann@example.org", "ann@example.org", "ann@example.org")]
    [InlineData("  Ann.B+news@EXAMPLE.Org\r\n", "Ann.B+news@example.org", "Ann.B+news@example.org")]
    [InlineData("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org")]
    [InlineData("jörg@BÜCHER.example", "jörg@bücher.example", "jörg@xn--bcher-kva.example")]
    [InlineData("ann@xn--BCHER-kva.example", "ann@bücher.example", "ann@xn--bcher-kva.example")]
    [InlineData("ann@straße.example", "ann@straße.example", "ann@xn--strae-oqa.example")]
    [InlineData("用户@例子。广告", "用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v")]
    [InlineData("bob@xn--10cl1a0b660p.com", "bob@ශ්\u200Dරී.com", "bob@xn--10cl1a0b660p.com")]
    [InlineData("bob@نامه\u200Cای.com", "bob@نامه\u200Cای.com", "bob@xn--mgba3gch31f060k.com")]
    [InlineData("a@r5---sn-x.example.org", "a@r5---sn-x.example.org", "a@r5---sn-x.example.org")]
    [InlineData("a@1.2.example", "a@1.2.example", "a@1.2.example")]
    public void Addresses_are_read(string text, string value, string wire)
    {
        Assert.True(EmailAddress.TryParse(text, out var address, out var problem), problem);
        Assert.Equal((value, wire), (address.Value, address.WireValue));
    }

    [Theory]
    [InlineData(null, "it is empty")]
    [InlineData("  ", "it is empty")]
    [InlineData("ann", "it has no @")]
    [InlineData("@example.org", "nothing stands before the @")]
    [InlineData("ann@", "nothing stands after the @")]
    [InlineData("ann@ben@example.org", "it has more than one @")]
    [InlineData("Ann <ann@example.org>", "it holds a space")]
    [InlineData("<ann@example.org>", "'<' cannot stand in an address")]
    [InlineData("ann,ben@example.org", "',' cannot stand in an address")]
    [InlineData("\"a b\"@example.org", "it holds a space")]
    [InlineData("\"ab\"@example.org", "its part before the @ is quoted, which is not supported")]
    [InlineData(".ann@example.org", "before the @, a dot stands at the beginning, at the end, or beside another")]
    [InlineData("ann..b@example.org", "before the @, a dot stands at the beginning, at the end, or beside another")]
    [InlineData("ann\r\nRCPT@example.org", "it holds a control character")]
    [InlineData("an\0n@example.org", "it holds a control character")]
    [InlineData("jörg\u0085@example.org", "it holds a control character")]
    [InlineData("an\u00A0n@example.org", "it holds a space")]
    [InlineData("an\u200Bn@example.org", "it holds the invisible or undefined character U+200B")]
    [InlineData("ann@exam\u200Dple.org", "it holds the invisible or undefined character U+200D")]
    [InlineData("an\u200Cn@example.org", "it holds the invisible or undefined character U+200C")]
    [InlineData("ශ්\u200Dරී@example.org", "it holds the invisible or undefined character U+200D")]
    [InlineData("ann@exam\u200Bple.org", "it holds the invisible or undefined character U+200B")]
    [InlineData("an\uFFFDn@example.org", "it was damaged by a wrong encoding")]
    [InlineData("an\uD800n@example.org", "it was damaged by a wrong encoding")]
    [InlineData("ann@localhost", "its domain 'localhost' has no dot")]
    [InlineData("ann@127.0.0.1", "an IP address in place of a domain is not supported")]
    [InlineData("ann@[127.0.0.1]", "an IP address in place of a domain is not supported")]
    [InlineData("ann@example..org", "'example..org' is not a valid domain")]
    [InlineData("ann@example.org.", "'example.org.' is not a valid domain")]
    [InlineData("ann@-example.org", "'-example.org' is not a valid domain")]
    [InlineData("ann@exam_ple.org", "'exam_ple.org' is not a valid domain")]
    [InlineData("ann@example.org>", "'example.org>' is not a valid domain")]
    [InlineData("ann@xn--a.example", "'xn--a.example' is not a valid domain")]
    public void Other_texts_are_refused_with_the_reason(string? text, string reason)
    {
        Assert.False(EmailAddress.TryParse(text, out var address, out var problem));
        Assert.Null(address);
        Assert.Equal(reason, problem);
    }

    [Fact]
    public void Lengths_are_octets_on_the_wire()
    {
        var labels = string.Join('.', Enumerable.Repeat(new string('d', 60), 3));
        Assert.True(EmailAddress.TryParse(new string('a', 64) + "@example.org", out _));
        Assert.False(EmailAddress.TryParse(new string('a', 65) + "@example.org", out _, out var local));
        Assert.Equal("its part before the @ is longer than 64 octets", local);
        Assert.False(EmailAddress.TryParse(new string('ö', 33) + "@example.org", out _));
        Assert.True(EmailAddress.TryParse(new string('a', 64) + "@" + labels + ".exam", out var longest));
        Assert.Equal(252, longest.WireValue.Length);
        Assert.True(EmailAddress.TryParse(new string('a', 64) + "@" + labels + ".exampl", out _));
        Assert.False(EmailAddress.TryParse(new string('a', 64) + "@" + labels + ".example", out _, out var whole));
        Assert.Equal("it is longer than the 254 octets an address may have", whole);
        Assert.False(EmailAddress.TryParse("a@" + new string('d', 64) + ".org", out _));
        Assert.False(EmailAddress.TryParse(new string('a', 10_000_000) + "@example.org", out _));
    }

    [Theory]
    [InlineData("ann@Example.ORG", "ann@example.org", true)]
    [InlineData("ann@bücher.example", "ann@XN--bcher-KVA.example", true)]
    [InlineData("jo\u0308rg@example.org", "j\u00F6rg@example.org", true)]
    [InlineData("ann@bu\u0308cher.example", "ann@b\u00FCcher.example", true)]
    [InlineData("Ann@example.org", "ann@example.org", false)]
    public void Spellings_of_one_address_are_equal(string one, string other, bool equal)
    {
        Assert.True(EmailAddress.TryParse(one, out var left));
        Assert.True(EmailAddress.TryParse(other, out var right));
        Assert.Equal(equal, left == right);
        Assert.Equal(equal, left.Value == right.Value);
    }

    [Fact]
    public void An_address_is_read_again_from_what_it_shows()
    {
        var read = 0;
        var word = Gen.String[Gen.Char["abnx.öß界\u0308\u0327İﬀ\u200B\u200C\u200D\u0DC1\u0DCA\u0647-_0"], 1, 6];
        Gen.Select(word, word, word).Sample(
            (local, label, top) =>
            {
                if (!EmailAddress.TryParse($"{local}@{label}.{top}", out var address)) return;
                Interlocked.Increment(ref read);
                Assert.True(EmailAddress.TryParse(address.Value, out var again));
                Assert.Equal(address, again);
                Assert.True(EmailAddress.TryParse(address.WireValue, out var wire));
                Assert.Equal(address, wire);
                Assert.True(System.Text.Ascii.IsValid(address.AsciiDomain));
            },
            iter: 20_000);
        Assert.True(read > 1000, $"only {read} of the made-up texts were addresses");
    }

    [Fact]
    public void Only_a_local_part_beyond_ascii_needs_smtputf8()
    {
        Assert.True(EmailAddress.TryParse("ann@bücher.example", out var ascii));
        Assert.True(EmailAddress.TryParse("jörg@example.org", out var international));
        Assert.Equal((false, true), (ascii.NeedsSmtpUtf8, international.NeedsSmtpUtf8));
    }
}
