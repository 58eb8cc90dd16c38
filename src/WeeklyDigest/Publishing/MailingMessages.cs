using System.Globalization;
using WeeklyDigest.Audience;
using WeeklyDigest.Deliveries;
using WeeklyDigest.Feedback;
using WeeklyDigest.Merging;
using WeeklyDigest.Smtp;

namespace WeeklyDigest.Publishing;

/// <summary>The messages of one mailing: what they share, and what differs for each recipient. Made from the frozen content alone.</summary>
public sealed class MailingMessages
{
    private const string PreviewMark = "[Preview] ";

    private readonly FrozenContent frozen;
    private readonly LinkTokens tokens;
    private readonly string unsubscribePage;

    /// <summary>Prepares what all messages share.</summary>
    /// <param name="campaign">The slug; names the campaign in Feedback-ID.</param>
    /// <param name="frozen">The frozen content.</param>
    /// <param name="tokens">Makes unsubscribe links and Message-IDs.</param>
    public MailingMessages(string campaign, FrozenContent frozen, LinkTokens tokens)
    {
        (this.frozen, this.tokens) = (frozen, tokens);
        var newsletter = frozen.Newsletter;
        unsubscribePage = newsletter.UrlOf("/unsubscribe/");
        var label = Label(newsletter.Name);
        Content = new MessageContent(
            newsletter.From,
            newsletter.ReplyTo,
            $"{label}.{newsletter.From.Address.AsciiDomain}",
            newsletter.Name,
            FeedbackId(campaign, label),
            (newsletter.ReplyTo ?? newsletter.From).Address,
            frozen.Date,
            "wd_" + frozen.Email.Hash[..Math.Min(40, frozen.Email.Hash.Length)],
            frozen.Email.Subject,
            frozen.Email.Html,
            frozen.Email.Text);
    }

    /// <summary>What all messages share.</summary>
    public MessageContent Content { get; }

    /// <summary>The envelope sender.</summary>
    public EmailAddress Sender => frozen.Newsletter.From.Address;

    /// <summary>What differs for one delivery; always the same, so that a message sent again is the same byte for byte.</summary>
    public MessageRecipient For(DeliveryId delivery, Subscriber subscriber)
        => Recipient(new Mailbox(subscriber.Name, subscriber.Address), MessageId(delivery), tokens.UnsubscribeToken(delivery), subscriber);

    /// <summary>The Message-ID of a delivery without angle brackets.</summary>
    public string MessageId(DeliveryId delivery) => AtOurDomain(tokens.MessageIdLeft(delivery));

    /// <summary>What differs for a preview: slots as for the subscriber with this address where there is one, else fallbacks; a link that changes nothing.</summary>
    public MessageRecipient ForPreview(Mailbox to, Subscriber? subscriber)
        => Recipient(to, AtOurDomain("preview-" + Guid.NewGuid().ToString("n")), tokens.PreviewToken(), subscriber);

    /// <summary>The same content with the subject marked as preview; nothing else differs.</summary>
    public MessageContent PreviewContent()
    {
        var parts = Content.Subject.Parts;
        var mark = new MergePart(PreviewMark + (parts.Count > 0 ? parts[0].Text : null), null, MergeEncoding.Plain);
        var rest = parts.Count > 0 && parts[0].Text is not null ? parts.Skip(1) : parts;
        return Content with { Subject = new MergeTemplate([mark, .. rest]) };
    }

    private MessageRecipient Recipient(Mailbox to, string messageId, string token, Subscriber? subscriber) => new(
        to,
        messageId,
        token,
        new MergeValues(
            subscriber?.Name,
            to.Address.Value,
            subscriber?.Attributes ?? new Dictionary<string, string>(),
            unsubscribePage + token));

    private string AtOurDomain(string left) => $"{left}@{frozen.Newsletter.From.Address.AsciiDomain}";

    // Four fields, as the large mailbox providers read them: the last is the sender, 5 to 15 characters that stay the same.
    private static string FeedbackId(string campaign, string label)
    {
        var sender = label.Length < 5 ? label + "-news" : label[..Math.Min(15, label.Length)].TrimEnd('-');
        return $"{Label(campaign)}:{label}:newsletter:{sender}";
    }

    // The name as one DNS label: what is not a letter or digit of ASCII, accents taken off, becomes a dash.
    private static string Label(string name)
    {
        var plain = NormalForm.Of(name, System.Text.NormalizationForm.FormD)
            .Where(c => CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark)
            .Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-');
        var label = string.Join('-', string.Concat(plain).Split('-', StringSplitOptions.RemoveEmptyEntries));
        label = (label.Length <= 60 ? label : label[..60]).Trim('-');
        return label.Length > 0 ? label : "newsletter";
    }
}
