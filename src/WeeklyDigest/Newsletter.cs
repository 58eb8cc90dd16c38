using WeeklyDigest.Audience;

namespace WeeklyDigest;

/// <summary>Who publishes: the identity that every e-mail and page carries. Bound from the settings section <c>Newsletter</c>.</summary>
/// <param name="Name">The newsletter's name, shown in the header and in List-ID. 1 to 100 characters, no line breaks.</param>
/// <param name="From">The author address (RFC 5322 section 3.6.2); its domain names List-ID and Message-ID.</param>
/// <param name="ReplyTo">Where replies go, or null for <paramref name="From"/>.</param>
/// <param name="BaseUrl">Absolute http(s) address of the public pages, without a trailing slash.</param>
/// <param name="PostalAddress">The street address that commercial mail has to carry; lines are separated by line breaks.</param>
/// <param name="Language">BCP 47 tag of an issue that names none; default <c>en</c>.</param>
/// <param name="Editor">The editor's own address: previews go there and nowhere else; null when previews are not set up.</param>
public sealed record Newsletter(
    string Name,
    Mailbox From,
    Mailbox? ReplyTo,
    Uri BaseUrl,
    string PostalAddress,
    string Language,
    Mailbox? Editor)
{
    /// <summary>The absolute address of a path of the public pages.</summary>
    /// <param name="path">A path that starts with a slash.</param>
    public string UrlOf(string path) => BaseUrl.AbsoluteUri.TrimEnd('/') + path;
}
