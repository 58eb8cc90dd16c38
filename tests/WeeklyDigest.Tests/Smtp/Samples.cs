using System.Text;
using MimeKit;
using WeeklyDigest.Audience;
using WeeklyDigest.Merging;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Tests.Smtp;

/// <summary>A small mailing with every kind of slot.</summary>
internal static class Samples
{
    public static readonly RelayAbilities Modern = new(EightBitMime: true, SmtpUtf8: true);
    public static readonly RelayAbilities Old = new(EightBitMime: false, SmtpUtf8: false);

    public static readonly EmailAddress Bounces = Address("bounces@weekly.example.com");

    public static MessageContent Content(MergeTemplate? subject = null, MergeTemplate? html = null, MergeTemplate? text = null) => new(
        new Mailbox("Ärmel & Söhne, Weekly", Address("editor@weekly.example.com")),
        new Mailbox(null, Address("replies@weekly.example.com")),
        "weekly.example.com",
        "The \"Weekly\" Digest",
        "week-1:main:newsletter:weeklydigest",
        Address("unsubscribe@weekly.example.com"),
        new DateTimeOffset(2026, 3, 1, 9, 30, 0, TimeSpan.FromHours(1)),
        "=_weekly-1",
        subject ?? MergeTemplate.Of("Week 1: Möbius strips, 見える化 and 8 papers on vision transformers worth your time"),
        html ?? Html,
        text ?? Text);

    /// <summary>Names the recipient in text, attribute and URL, with lines that begin with dots and "From".</summary>
    public static MergeTemplate Html { get; } = new(
    [
        Literal("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Week 1</title></head>\n<body>\n<p>Hello "),
        Slot(MergeField.Name, MergeEncoding.Html, "there"),
        Literal(",</p>\n<p>Größe zählt: 大きさ. Here are eight papers on how machines see, with code and a short note on why each matters.</p>\n.dots begin lines\n..twice\n<p><a href=\"https://weekly.example.com/go?city="),
        Slot(MergeField.Attribute, MergeEncoding.Url, "", "city"),
        Literal("\">Your city</a></p>\n<p><a href=\""),
        Slot(MergeField.UnsubscribeUrl, MergeEncoding.Html),
        Literal("\">Unsubscribe</a></p>\n</body></html>\n"),
    ]);

    public static MergeTemplate Text { get; } = new(
    [
        Literal("Hello "),
        Slot(MergeField.Name, MergeEncoding.Plain, "there"),
        Literal(",\n\nhere are eight papers on how machines see, Größe zählt.\n\nFrom here on: dots.\n.\n..\n\nUnsubscribe: "),
        Slot(MergeField.UnsubscribeUrl, MergeEncoding.Plain),
        Literal("\n"),
    ]);

    public static MessageRecipient Recipient(string address = "ada@example.org", string? name = "Ada Lovelace", string city = "Zürich & Köln") => new(
        new Mailbox(name, Address(address)),
        "week-1.17.weeklydigest@weekly.example.com",
        "token-17",
        Values(name, address, city));

    public static MergeValues Values(string? name, string address = "ada@example.org", string city = "Zürich & Köln") => new(
        name,
        address,
        new Dictionary<string, string> { ["city"] = city },
        "https://weekly.example.com/unsubscribe/eyJtIjoxLCJzIjoxN30.b1l0dG8");

    public static EmailAddress Address(string text)
        => EmailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    public static MergePart Literal(string text) => new(text, null, MergeEncoding.Plain);

    public static MergePart Slot(MergeField field, MergeEncoding encoding, string fallback = "", string? attribute = null)
        => new(null, new MergeSlot(field, attribute, fallback), encoding);

    public static ComposedMessage Compose(RelayAbilities abilities, MessageRecipient? recipient = null, MessageContent? content = null)
        => new MessageComposer(content ?? Content()).Compose(recipient ?? Recipient(), abilities);

    public static MimeMessage Parse(ComposedMessage message) => MimeMessage.Load(new MemoryStream(message.Bytes.ToArray()));

    /// <summary>A part's text as its reader gets it, line ends as LF.</summary>
    public static string Body(MimeMessage message, string subtype)
    {
        var part = message.BodyParts.OfType<TextPart>().Single(part => part.IsPlain ? subtype == "plain" : subtype == "html");
        using var bytes = new MemoryStream();
        part.Content!.DecodeTo(bytes);
        return Encoding.UTF8.GetString(bytes.ToArray()).ReplaceLineEndings("\n");
    }
}
