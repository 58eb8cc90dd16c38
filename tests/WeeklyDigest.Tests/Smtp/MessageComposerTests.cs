using System.Runtime.CompilerServices;
using System.Text;
using MimeKit;
using WeeklyDigest.Merging;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

public sealed class MessageComposerTests
{
    [Theory]
    [InlineData("8bit")]
    [InlineData("7bit")]
    public void Equals_the_golden_octet_for_octet(string name)
    {
        var message = Samples.Compose(name == "8bit" ? Samples.Modern : Samples.Old);
        AssertGolden($"message.{name}.eml", message.Bytes.ToArray());
    }

    [Fact]
    public void Equals_the_golden_for_an_address_beyond_ASCII()
    {
        var message = Samples.Compose(Samples.Modern, Samples.Recipient("用户@bücher.example", "用户"));
        Assert.True(message.Utf8Headers);
        AssertGolden("message.utf8.eml", message.Bytes.ToArray());
    }

    [Theory]
    [InlineData("week-1-the-hardware-lottery-and-numpy-and-more:weekly-digest:newsletter:weekly-digest")]
    [InlineData("a:b:c:d")]
    public void Feedback_ID_is_what_it_is_and_no_encoded_word(string id)
    {
        var message = new MessageComposer(Samples.Content() with { FeedbackId = id }).Compose(Samples.Recipient("ada@example.org", "Ada"), Samples.Modern);
        Assert.Contains($"\r\nFeedback-ID: {id}\r\n", Encoding.ASCII.GetString(message.Bytes.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void Composes_the_same_bytes_each_time_and_in_every_buffer()
    {
        var composer = new MessageComposer(Samples.Content());
        var buffer = new MessageBuffer();
        var first = composer.Compose(Samples.Recipient(), Samples.Modern);
        composer.Compose(Samples.Recipient("other@example.org", new string('x', 200)), Samples.Modern, buffer);
        var again = composer.Compose(Samples.Recipient(), Samples.Modern, buffer);
        Assert.Equal(first.Bytes.ToArray(), again.Bytes.ToArray());
        Assert.Equal(first.Bytes.ToArray(), new MessageComposer(Samples.Content()).Compose(Samples.Recipient(), Samples.Modern).Bytes.ToArray());
    }

    [Fact]
    public void Says_what_the_relay_must_be_able_to_do()
    {
        var ascii = Samples.Content(html: MergeTemplate.Of("<p>plain</p>\n"), text: MergeTemplate.Of("plain\n"));
        Assert.True(Samples.Compose(Samples.Modern).EightBit);
        Assert.False(Samples.Compose(Samples.Old).EightBit);
        Assert.False(Samples.Compose(Samples.Modern, content: ascii).EightBit);
        Assert.False(Samples.Compose(Samples.Modern).Utf8Headers);
        Assert.False(Samples.Compose(Samples.Modern, Samples.Recipient("jürgen@example.org".Replace("ü", "ue", StringComparison.Ordinal))).Utf8Headers);
        Assert.True(Samples.Compose(Samples.Modern, Samples.Recipient("jürgen@example.org")).Utf8Headers);
    }

    [Fact]
    public void Encodes_each_part_as_lightly_as_it_can()
    {
        var content = Samples.Content(html: MergeTemplate.Of("<p>" + new string('x', 999) + "</p>"), text: MergeTemplate.Of("plain\n"));
        Assert.Equal("7bit, quoted-printable", Encodings(Samples.Compose(Samples.Modern, content: content)));
        Assert.Equal("8bit, 8bit", Encodings(Samples.Compose(Samples.Modern)));
        Assert.Equal("quoted-printable, quoted-printable", Encodings(Samples.Compose(Samples.Old)));
    }

    [Fact]
    public void Says_of_the_whole_that_it_is_8bit_where_a_part_is()
    {
        var mixed = Samples.Content(html: MergeTemplate.Of("<p>Größe</p>\n"), text: MergeTemplate.Of("plain\n"));
        Assert.Equal("8bit", Samples.Parse(Samples.Compose(Samples.Modern, content: mixed)).Body!.Headers[HeaderId.ContentTransferEncoding]);
        Assert.Null(Samples.Parse(Samples.Compose(Samples.Old, content: mixed)).Body!.Headers[HeaderId.ContentTransferEncoding]);
    }

    [Fact]
    public void Falls_back_to_quoted_printable_for_the_one_whose_values_make_a_line_too_long()
    {
        var content = Samples.Content(text: new MergeTemplate([Samples.Literal(new string('x', 900)), Samples.Slot(MergeField.Name, MergeEncoding.Plain), Samples.Literal("\nend")]));
        var shortName = Samples.Compose(Samples.Modern, Samples.Recipient(name: new string('n', 98)), content);
        var longName = Samples.Compose(Samples.Modern, Samples.Recipient(name: new string('n', 99)), content);
        Assert.Equal("8bit, 8bit", Encodings(shortName));
        Assert.Equal("quoted-printable, quoted-printable", Encodings(longName));
        Assert.Equal(new string('x', 900) + new string('n', 99) + "\nend", Samples.Body(Samples.Parse(longName), "plain"));
    }

    [Fact]
    public void Fills_the_slots_of_a_subject_and_encodes_them()
    {
        var subject = new MergeTemplate([Samples.Literal("Week 1 for "), Samples.Slot(MergeField.Name, MergeEncoding.Plain, "you")]);
        Assert.Equal("Week 1 for Zoë\u00A0王", Samples.Parse(Samples.Compose(Samples.Modern, Samples.Recipient(name: "Zoë\u00A0王"), Samples.Content(subject))).Subject);
        Assert.Equal("Week 1 for you", Samples.Parse(Samples.Compose(Samples.Modern, Samples.Recipient(name: null), Samples.Content(subject))).Subject);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" \r\n ")]
    public void Leaves_a_subject_empty_of_which_a_recipients_values_leave_nothing(string? name)
    {
        var message = Samples.Compose(Samples.Modern, Samples.Recipient(name: name), Samples.Content(new MergeTemplate([Samples.Slot(MergeField.Name, MergeEncoding.Plain)])));
        Assert.Contains("\r\nSubject: \r\n", Encoding.UTF8.GetString(message.Bytes.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Eve\r\nBcc: victim@example.org")]
    [InlineData("Eve\nX-Injected: yes")]
    [InlineData("Eve\rX-Injected: yes\0")]
    [InlineData("Eve\u2028X-Injected: yes\u0085")]
    [InlineData("\"><script>\" <evil@example.org>, \\")]
    [InlineData("=?utf-8?Q?Eve=0D=0AX-Injected:_yes?=")]
    public void Lets_no_value_add_a_header_field(string name)
    {
        var subject = new MergeTemplate([Samples.Literal("For "), Samples.Slot(MergeField.Name, MergeEncoding.Plain)]);
        var plain = HeaderNames(Samples.Compose(Samples.Modern, Samples.Recipient(name: "Ada"), Samples.Content(subject)));
        var hostile = Samples.Compose(Samples.Modern, Samples.Recipient(name: name, city: name) with { UnsubscribeToken = name }, Samples.Content(subject));
        Assert.Equal(plain, HeaderNames(hostile));
        var to = Assert.Single(Samples.Parse(hostile).To.Mailboxes);
        Assert.Equal("ada@example.org", to.Address);
        Assert.Equal(HeaderText.WithoutControls(name).Trim(), to.Name);
    }

    [Fact]
    public void Names_the_unsubscribe_page_and_the_mail_form()
    {
        var header = Samples.Parse(Samples.Compose(Samples.Modern)).Headers;
        Assert.Equal(
            "<https://weekly.example.com/unsubscribe/eyJtIjoxLCJzIjoxN30.b1l0dG8>, <mailto:unsubscribe@weekly.example.com?subject=unsubscribe%20token-17>",
            header[HeaderId.ListUnsubscribe]);
        Assert.Equal("List-Unsubscribe=One-Click", header[HeaderId.ListUnsubscribePost]);
        Assert.Equal("\"The \\\"Weekly\\\" Digest\" <weekly.example.com>", header[HeaderId.ListId]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("quote\"")]
    [InlineData("seventy-one-characters-are-one-too-many-for-a-boundary-whatever-it-says")]
    public void Refuses_what_is_no_boundary(string boundary)
        => Assert.Throws<ArgumentException>(() => new MessageComposer(Samples.Content() with { Boundary = boundary }));

    [Fact]
    public void Refuses_a_boundary_that_the_content_contains()
        => Assert.Throws<ArgumentException>(() => new MessageComposer(Samples.Content(text: MergeTemplate.Of("x\n--=_weekly-1\ny"))));

    private static string Encodings(ComposedMessage message)
        => string.Join(", ", Samples.Parse(message).BodyParts.Select(part => part.Headers[HeaderId.ContentTransferEncoding]));

    private static List<string> HeaderNames(ComposedMessage message)
        => [.. Samples.Parse(message).Headers.Select(header => header.Field)];

    /// <summary>A golden that is missing fails; WEEKLYDIGEST_WRITE_GOLDENS=1 writes it anew, to be looked at and committed.</summary>
    private static void AssertGolden(string name, byte[] actual, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "Goldens", name);
        if (Environment.GetEnvironmentVariable("WEEKLYDIGEST_WRITE_GOLDENS") == "1") File.WriteAllBytes(path, actual);
        Assert.True(File.Exists(path), $"The golden {path} is missing; write it with WEEKLYDIGEST_WRITE_GOLDENS=1 and look at it.");
        Assert.Equal(Encoding.UTF8.GetString(File.ReadAllBytes(path)), Encoding.UTF8.GetString(actual));
    }
}
