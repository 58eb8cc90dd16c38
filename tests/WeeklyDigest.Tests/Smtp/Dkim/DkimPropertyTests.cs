using CsCheck;
using WeeklyDigest.Merging;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp.Dkim;

/// <summary>Whatever stands in names, values, subject and texts, both verifiers pass the signatures.</summary>
public sealed class DkimPropertyTests
{
    /// <summary>Text made to break header fields, folding and canonicalization, control characters and all.</summary>
    private static readonly Gen<string> Value =
        Gen.OneOf(
            Pick("", " ", "  ", "\t", " \t ", "\r\n", "\n", "\r", "\r\n\r\n", "\r\n ", "\0", "\u2028", "\u0085", ":", ";", "=", "b=", "; b=x", "bh=", "From:", "\r\nFrom: eve@example.org\r\n",
                "DKIM-Signature: v=1;", "\"", "\\", "<", ">", "=?utf-8?Q?=0D=0A?=", "ä", "王", "🎉", "\u00A0", "\uD800", new string('x', 90)),
            Gen.Char['\u0001', '~'].Select(c => c.ToString()))
        .Array[0, 40].Select(string.Concat);

    private static readonly Gen<string> Block = Gen.OneOf(Value, Pick("\n\n", " \n", "\t\n", "\n.\n", "  \n\n\n", "a b\tc")).Array[0, 20].Select(string.Concat);

    private static readonly Gen<byte[]> Message =
        from name in Value
        from city in Value
        from subject in Value
        from list in Value
        from token in Value
        from text in Block
        from html in Block
        from modern in Gen.Bool
        select Compose(name, city, subject, list, token, text, html, modern);

    [Fact]
    public void MimeKit_passes_them() => Message.Sample(message => Assert.Equal([true, true], DkimKeys.Instance.Verify(message)), iter: 150);

    [Fact]
    public void Python_s_verifier_passes_them()
        => Message.Array[100].Sample(
            messages =>
            {
                var verdicts = PythonDkim.VerifyAsync(DkimKeys.Instance.Both, messages, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
                Assert.All(verdicts, verdict => Assert.Equal("pass, pass", verdict));
            },
            iter: 2);

    private static byte[] Compose(string name, string city, string subject, string list, string token, string text, string html, bool modern)
    {
        var content = Samples.Content(
            new MergeTemplate([Samples.Literal(subject), Samples.Slot(MergeField.Name, MergeEncoding.Plain)]),
            new MergeTemplate([Samples.Literal(html), Samples.Slot(MergeField.Attribute, MergeEncoding.Html, "", "city"), Samples.Literal(html)]),
            new MergeTemplate([Samples.Literal(text), Samples.Slot(MergeField.Name, MergeEncoding.Plain), Samples.Slot(MergeField.Attribute, MergeEncoding.Plain, "", "city")]));
        var recipient = Samples.Recipient(name: name, city: city) with { UnsubscribeToken = token };
        return new MessageComposer(content with { ListName = list, FeedbackId = token }, DkimKeys.Instance.Both)
            .Compose(recipient, modern ? Samples.Modern : Samples.Old).Bytes.ToArray();
    }

    private static Gen<T> Pick<T>(params T[] choices) => Gen.Int[0, choices.Length - 1].Select(i => choices[i]);
}
