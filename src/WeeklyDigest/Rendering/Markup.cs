using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Html;

namespace WeeklyDigest.Rendering;

/// <summary>HTML that a view writes as it stands. Only the Markdown of an issue becomes one, cleaned: strings are always encoded.</summary>
public sealed class Markup : IHtmlContent
{
    internal Markup(string html) => Html = html;

    /// <summary>The HTML.</summary>
    public string Html { get; }

    /// <inheritdoc/>
    public void WriteTo(TextWriter writer, HtmlEncoder encoder) => writer.Write(Html);

    /// <inheritdoc/>
    public override string ToString() => Html;
}
