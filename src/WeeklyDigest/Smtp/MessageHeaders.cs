using System.Buffers;
using System.Globalization;
using System.Text;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Smtp;

/// <summary>The header block of a mailing's messages, in segments.</summary>
internal static class MessageHeaders
{
    /// <summary>Encodes what all messages share.</summary>
    /// <returns>The segments from the first field to the last field's CRLF; the empty line is not among them.</returns>
    public static IEnumerable<Segment> Encode(MessageContent content)
    {
        yield return Fixed(HeaderText.MailboxField("From", content.From)
            + (content.ReplyTo is null ? "" : HeaderText.MailboxField("Reply-To", content.ReplyTo)));
        yield return Segment.Of((recipient, buffer) => buffer.Append(HeaderText.MailboxField("To", recipient.To)));
        yield return Subject(content);
        yield return Fixed($"Date: {Date(content.Date)}\r\n");
        yield return MessageId();
        yield return Fixed(ListFields(content));
        yield return Unsubscribe(content.UnsubscribeMailto);
        yield return Fixed(
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" +
            $"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{content.Boundary}\"\r\n");
    }

    private static Segment MessageId() => Segment.Of((recipient, buffer) =>
    {
        buffer.Append("Message-ID: <");
        buffer.Append(Bracketed(recipient.MessageId));
        buffer.Append(">\r\n");
    });

    private static Segment Subject(MessageContent content)
    {
        var subject = content.Subject;
        return subject.Parts.Any(part => part.Slot is not null)
            ? Segment.Of((recipient, buffer) => buffer.Append(HeaderText.Unstructured("Subject", subject.Fill(recipient.Values))))
            : Fixed(HeaderText.Unstructured("Subject", string.Concat(subject.Parts.Select(part => part.Text))));
    }

    /// <summary>
    /// What receivers and responders know a newsletter by. Precedence stands in no RFC, yet old vacation programs know nothing else;
    /// Auto-Submitted (RFC 3834 section 5) is its standard; Exchange heeds only its own field. Ghost, Discourse and GitHub send these too.
    /// Feedback-ID lets Gmail's postmaster tools tell mailings apart.
    /// </summary>
    private static string ListFields(MessageContent content)
        => HeaderText.Phrased("List-ID", content.ListName, content.ListId)
            + HeaderText.Token("Feedback-ID", content.FeedbackId)
            + "Precedence: bulk\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: OOF, AutoReply\r\n";

    /// <summary>List-Unsubscribe (RFC 2369 section 3.2): the page first, as RFC 8058 section 3.1 needs it, then the mail form (RFC 6068).</summary>
    private static Segment Unsubscribe(EmailAddress mailto)
    {
        var address = $">,\r\n <mailto:{Uri.EscapeDataString(mailto.LocalPart)}@{mailto.AsciiDomain}?subject=unsubscribe%20";
        return Segment.Of((recipient, buffer) =>
        {
            buffer.Append("List-Unsubscribe: <");
            buffer.Append(UrlText(recipient.Values.UnsubscribeUrl));
            buffer.Append(address);
            buffer.Append(Uri.EscapeDataString(HeaderText.WithoutControls(recipient.UnsubscribeToken)));
            buffer.Append(">\r\n");
        });
    }

    private static Segment Fixed(string text) => Segment.Of(Encoding.UTF8.GetBytes(text));

    private static string Date(DateTimeOffset date)
        => date.ToString("ddd, dd MMM yyyy HH:mm:ss ", CultureInfo.InvariantCulture) + date.ToString("zzz", CultureInfo.InvariantCulture).Replace(":", "", StringComparison.Ordinal);

    private static string Bracketed(string id)
        => id.Length > 0 && !id.AsSpan().ContainsAnyExcept(IdCharacters)
            ? id
            : throw new ArgumentException("A Message-ID is plain ASCII without spaces and angle brackets (RFC 5322 section 3.6.4).", nameof(id));

    /// <summary>A URL that cannot leave its angle brackets: anything that is no URL character (RFC 3986 section 2) is percent-encoded.</summary>
    private static string UrlText(string url)
        => url.AsSpan().ContainsAnyExcept(UrlCharacters)
            ? string.Concat(url.EnumerateRunes().Select(rune => rune.IsAscii && UrlCharacters.Contains((char)rune.Value) ? rune.ToString() : Uri.EscapeDataString(rune.ToString())))
            : url;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(code => (char)code).Except("<>")]);

    private static readonly SearchValues<char> UrlCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%");
}
