using System.Text.RegularExpressions;
using MimeKit;

namespace WeeklyDigest.Server.Inbox;

/// <summary>
/// A message's HTML as its frame gets it. Its markup stays as it was sent; that it cannot do harm is the policy's and the sandbox's work.
/// Two things are rewritten: pictures that travel in the message become data URLs, and the colour scheme is fixed, since no browser
/// lets a page choose <c>prefers-color-scheme</c> for a frame.
/// </summary>
internal static partial class MessageFrame
{
    private const int LargestPicture = 5 * 1024 * 1024;

    /// <summary>The HTML, light or dark whatever the editor's system prefers.</summary>
    public static string Html(MimeMessage message, bool dark)
    {
        var html = CidPattern().Replace(message.HtmlBody ?? "", match => Picture(message, match.Groups["id"].Value) ?? match.Value);
        html = SchemePattern().Replace(html, match => match.Groups["scheme"].Value.Equals(dark ? "dark" : "light", StringComparison.OrdinalIgnoreCase) ? "(min-width: 0)" : "(max-width: 0)");
        return html + $"<style>:root {{ color-scheme: only {(dark ? "dark" : "light")} }}</style>";
    }

    private static string? Picture(MimeMessage message, string id)
    {
        var part = message.BodyParts.OfType<MimePart>().FirstOrDefault(part => part.ContentId == Uri.UnescapeDataString(id) && part.ContentType.IsMimeType("image", "*"));
        if (part?.Content is null) return null;
        using var bytes = new MemoryStream();
        part.Content.DecodeTo(bytes);
        return bytes.Length > LargestPicture ? null : $"data:{part.ContentType.MimeType};base64,{Convert.ToBase64String(bytes.ToArray())}";
    }

    [GeneratedRegex("""(?<=["'(\s])cid:(?<id>[^"'()\s<>]+)""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CidPattern();

    [GeneratedRegex("""\(\s*prefers-color-scheme\s*:\s*(?<scheme>dark|light)\s*\)""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SchemePattern();
}
