using System.Globalization;
using System.Text;
using MimeKit;
using WeeklyDigest.Server.Public;

namespace WeeklyDigest.Server.Inbox;

/// <summary>A message's page: who, to whom, what, and the look that was asked for.</summary>
internal static class MessageView
{
    private const int MostShown = 1024 * 1024;

    /// <summary>The subject, for the tab.</summary>
    public static string Subject(InboxMessage message)
    {
        using var mime = Parse(message);
        return Subject(mime);
    }

    /// <summary>The page's content.</summary>
    public static Html Of(InboxMessage message, MessageLook look)
    {
        using var mime = Parse(message);
        var path = "/inbox/" + message.Id;
        return Html.Of(
            $"""
            <p class="back"><a href="/inbox" rel="up">All messages</a></p>
            <h1 class="subject">{Subject(mime)}</h1>
            <dl class="facts">
            <dt>From</dt><dd>{mime.From.ToString()}</dd>
            <dt>To</dt><dd>{mime.To.ToString()}</dd>
            <dt>Received</dt><dd>{message.ReceivedAt.ToString("d MMMM yyyy HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)}, {Size(message.Bytes.Length)}</dd>
            </dl>
            <div class="bar">{look.Links(path)}<a class="button" href="{path}/message.eml" download>Download .eml</a></div>
            {Body(message, mime, look, path)}
            """);
    }

    /// <summary>Parses the message; what is no message gives one without content.</summary>
    public static MimeMessage Parse(InboxMessage message)
    {
        try
        {
            using var bytes = new MemoryStream(message.Bytes.ToArray(), writable: false);
            return MimeMessage.Load(bytes);
        }
        catch (FormatException)
        {
            return new MimeMessage { Subject = "(not a message)" };
        }
    }

    private static string Subject(MimeMessage mime) => string.IsNullOrWhiteSpace(mime.Subject) ? "(no subject)" : mime.Subject;

    private static Html Body(InboxMessage message, MimeMessage mime, MessageLook look, string path) => look.View switch
    {
        "text" => Plain(mime.TextBody, "This message has no text part."),
        "headers" => Headers(message, mime),
        "source" => Plain(Encoding.UTF8.GetString(message.Bytes.Span[..Math.Min(message.Bytes.Length, MostShown)]), ""),
        _ when mime.HtmlBody is null => Plain(mime.TextBody, "This message has neither an HTML nor a text part."),
        // No allow-same-origin and no allow-scripts: what the message holds has no origin and cannot act.
        _ => Html.Of($"<div class=\"frame {look.Width} {look.Scheme}\"><iframe title=\"The message as HTML\" sandbox=\"allow-popups allow-popups-to-escape-sandbox\" src=\"{path}/frame?scheme={look.Scheme}\"></iframe></div>"),
    };

    private static Html Plain(string? text, string otherwise) => string.IsNullOrEmpty(text)
        ? Html.Of($"<p>{otherwise}</p>")
        : Html.Of($"<pre class=\"plain\" tabindex=\"0\">{text[..Math.Min(text.Length, MostShown)]}</pre>");

    private static Html Headers(InboxMessage message, MimeMessage mime) => Html.Of(
        $"""
        <h2>On the wire</h2>
        <dl class="facts"><dt>Sender</dt><dd>{(message.Envelope.Sender.Length > 0 ? message.Envelope.Sender : "(null sender)")}</dd><dt>Recipients</dt><dd>{string.Join(", ", message.Envelope.Recipients)}</dd></dl>
        <h2>In the message</h2>
        <dl class="facts headers">
        {mime.Headers.Select(header => Html.Of($"<dt>{header.Field}</dt><dd>{header.Value}</dd>"))}
        </dl>
        <h2>Parts</h2>
        <ul>
        {mime.BodyParts.Select(part => Html.Of($"<li>{part.ContentType.MimeType}{(part is MimePart { ContentTransferEncoding: not ContentEncoding.Default } coded ? ", " + coded.ContentTransferEncoding : "")}</li>"))}
        </ul>
        """);

    private static string Size(long bytes) => bytes < 1024
        ? $"{bytes} bytes"
        : (bytes / 1024.0).ToString("N1", CultureInfo.InvariantCulture) + " KB";
}
