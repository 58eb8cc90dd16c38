using System.Text;
using CsCheck;
using MimeKit;
using WeeklyDigest.Merging;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>Whatever stands in names, values, subject and texts, the message parses back to it.</summary>
public sealed class MessagePropertyTests
{
    /// <summary>Text without control characters, rich in what headers, HTML, quoted-printable and SMTP treat specially.</summary>
    private static readonly Gen<string> Value =
        Gen.OneOf(
            Pick("", " ", ".", "=", "\"", "\\", "<", ">", "@", ",", ";", "(", "=?", "?=", "=?utf-8?Q?=41?=", "&amp;", "--", "From ", "ä", "ß", "王", "🎉", "👩‍👩‍👧", "\u00A0", "e\u0301"),
            Gen.Char[' ', '~'].Select(c => c.ToString()),
            Gen.Int[0xA1, 0x10FFFF].Where(c => Rune.IsValid(c) && c is not (0x2028 or 0x2029)).Select(c => new Rune(c).ToString()))
        .Array[0, 60].Select(string.Concat);

    private static readonly Gen<string> Block = Gen.OneOf(Value, Pick("\n", "\n\n", "\n.\n", " \n", "\t", "\n--x--\n")).Array[0, 30].Select(string.Concat);

    private static readonly Gen<MergePart> Slot =
        from field in Pick(MergeField.Name, MergeField.Attribute, MergeField.UnsubscribeUrl)
        from encoding in Pick(MergeEncoding.Plain, MergeEncoding.Html, MergeEncoding.Url)
        select Samples.Slot(field, encoding, "fallback", field == MergeField.Attribute ? "city" : null);

    private static readonly Gen<MergeTemplate> Template =
        from parts in Gen.Select(Block, Slot).Array[0, 6]
        from end in Block
        select new MergeTemplate([.. parts.SelectMany(pair => new[] { Samples.Literal(pair.Item1), pair.Item2 }).Append(Samples.Literal(end)).Where(part => part.Text != "")]);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Parses_back_to_what_was_put_in(bool eightBit)
    {
        var abilities = eightBit ? Samples.Modern : Samples.Old;
        var subject = Gen.Select(Value, Value, (before, after) => new MergeTemplate([.. new[] { Samples.Literal(before), Samples.Slot(MergeField.Name, MergeEncoding.Plain), Samples.Literal(after) }.Where(part => part.Text != "")]));
        Gen.Select(subject, Template, Template, Value, Value).Sample(
            (subjectTemplate, html, text, name, city) =>
            {
                var recipient = Samples.Recipient(name: name, city: city);
                var message = Samples.Compose(abilities, recipient, Samples.Content(subjectTemplate, html, text));
                Check(message, recipient, subjectTemplate, html, text, eightBit);
            },
            iter: 400);
    }

    private static Gen<T> Pick<T>(params T[] choices) => Gen.Int[0, choices.Length - 1].Select(i => choices[i]);

    private static void Check(ComposedMessage message, MessageRecipient recipient, MergeTemplate subject, MergeTemplate html, MergeTemplate text, bool eightBit)
    {
        var bytes = message.Bytes.ToArray();
        var lines = Encoding.Latin1.GetString(bytes).Split("\r\n");
        Assert.DoesNotContain(lines, line => line.AsSpan().ContainsAny('\r', '\n', '\0'));
        Assert.True(lines.Max(line => line.Length) <= 998, "no line over 998 octets");
        Assert.All(lines.TakeWhile(line => line.Length > 0).Where(line => !line.Contains('<', StringComparison.Ordinal)), line => Assert.True(line.Length <= 78, line));
        if (!eightBit) Assert.True(Ascii.IsValid(bytes), "bare ASCII");
        var parsed = MimeMessage.Load(new MemoryStream(bytes));
        var to = Assert.Single(parsed.To.Mailboxes);
        Assert.Equal(recipient.To.Name!.Trim(), to.Name ?? "");
        Assert.Equal(recipient.To.Address.Value, to.Address);
        Assert.Equal(subject.Fill(recipient.Values).Trim(), parsed.Subject!.Trim());
        Assert.Equal(text.Fill(recipient.Values).ReplaceLineEndings("\n"), Samples.Body(parsed, "plain"));
        Assert.Equal(html.Fill(recipient.Values).ReplaceLineEndings("\n"), Samples.Body(parsed, "html"));
    }
}
