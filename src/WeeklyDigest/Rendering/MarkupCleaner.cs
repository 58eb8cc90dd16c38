using System.Text.RegularExpressions;
using AngleSharp.Dom;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Rendering;

/// <summary>Keeps of Markdown's HTML what an e-mail may hold: known elements, known attributes, web addresses.</summary>
/// <param name="page">Where relative addresses start from.</param>
internal sealed partial class MarkupCleaner(Uri page)
{
    private static readonly HashSet<string> Elements =
    [
        "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "div", "span", "a", "img", "em",
        "strong", "del", "sub", "sup", "kbd", "table", "thead", "tbody", "tr", "th", "td",
    ];

    private static readonly HashSet<string> Attributes = ["href", "src", "alt", "title", "id", "class", "start", "colspan", "rowspan", "style"];
    private static readonly HashSet<string> Schemes = ["http", "https", "mailto", "tel"];

    /// <summary>Cleans everything under an element.</summary>
    public void Clean(IElement root)
    {
        foreach (var element in root.QuerySelectorAll("*")) CleanElement(element);
    }

    private void CleanElement(IElement element)
    {
        if (element.LocalName == "input")
        {
            element.Replace(element.Owner!.CreateTextNode(element.HasAttribute("checked") ? "\u2611" : "\u2610"));
            return;
        }
        if (!Elements.Contains(element.LocalName))
        {
            element.Replace([.. element.ChildNodes]);
            return;
        }
        foreach (var attribute in element.Attributes.Where(attribute => !Attributes.Contains(attribute.Name)).ToList())
            element.RemoveAttribute(attribute.Name);
        if (element.GetAttribute("style") is { } style && !Alignment().IsMatch(style)) element.RemoveAttribute("style");
        CleanAddress(element, "href");
        CleanAddress(element, "src");
        CleanHeading(element);
        CleanImage(element);
        if (element.LocalName == "th") element.SetAttribute("scope", "col");
        if (element.LocalName == "table") TableWords.Classify(element);
    }

    private void CleanAddress(IElement element, string name)
    {
        if (element.GetAttribute(name) is not { } address) return;
        var absolute = Absolute(address.Trim());
        if (absolute is null) element.RemoveAttribute(name);
        else element.SetAttribute(name, absolute);
    }

    /// <summary>The address as an e-mail can use it; null when it is none that a reader should follow.</summary>
    public string? Absolute(string address)
    {
        if (address.StartsWith('#')) return address;
        if (address.Any(char.IsControl)) return null;
        var scheme = Scheme().Match(address);
        if (scheme.Success) return Schemes.Contains(scheme.Groups[1].Value.ToLowerInvariant()) ? address : null;
        // A slot at the start is an address of its own; its place is checked where slots are placed.
        if (address.StartsWith(SlotTokens.Open)) return address;
        return Uri.TryCreate(page, address, out var whole) && Schemes.Contains(whole.Scheme) ? whole.AbsoluteUri : null;
    }

    // Under an entry's h2 a "####" is the next level, and whoever listens to headings must not miss one.
    private static void CleanHeading(IElement element)
    {
        if (element.LocalName is not ['h', >= '1' and <= '6' and var level]) return;
        var heading = element.Owner!.CreateElement("h" + Math.Max(2, level - '0' - (level > '3' ? 1 : 0)));
        heading.Append([.. element.ChildNodes]);
        element.Replace(heading);
    }

    private static void CleanImage(IElement element)
    {
        if (element.LocalName != "img") return;
        if (!element.HasAttribute("alt")) element.SetAttribute("alt", "");
        if (!element.HasAttribute("src")) element.Replace(element.Owner!.CreateTextNode(element.GetAttribute("alt")!));
    }

    [GeneratedRegex(@"^text-align: ?(left|right|center);?$", RegexOptions.CultureInvariant)]
    private static partial Regex Alignment();

    [GeneratedRegex(@"^([a-zA-Z][a-zA-Z0-9+.-]*):", RegexOptions.CultureInvariant)]
    private static partial Regex Scheme();
}
