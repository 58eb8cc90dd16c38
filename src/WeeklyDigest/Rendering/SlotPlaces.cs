using System.Text.RegularExpressions;
using AngleSharp.Dom;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Rendering;

/// <summary>Decides by its place in the document how a slot's value is encoded, and refuses places where no encoding is safe.</summary>
/// <param name="slots">What the tokens stand for.</param>
/// <param name="file">The view, for messages.</param>
/// <param name="web">Whether this is the archive page: nobody can be unsubscribed there, so what would lead to it leads nowhere.</param>
internal sealed partial class SlotPlaces(SlotTable slots, string file, bool web)
{
    private static readonly HashSet<string> AddressAttributes = ["href", "src", "action", "background", "cite", "poster", "formaction", "longdesc", "data", "xlink:href"];
    private static readonly HashSet<string> CodeAttributes = ["style", "srcset", "srcdoc"];
    private static readonly HashSet<string> CodeElements = ["style", "script", "noscript", "template", "iframe", "xmp", "plaintext"];

    /// <summary>Marks all tokens of a document.</summary>
    /// <exception cref="TemplateException">A slot stands in a style, a script, a comment, a name or an event handler.</exception>
    public void Place(IDocument document)
    {
        foreach (var node in document.Descendants().ToList())
        {
            if (node is IElement element) PlaceIn(element);
            else if (node is IText text) PlaceIn(text);
            else if (node is IComment comment && HasSlot(comment.Data)) throw Refused(comment.Data, "in a comment");
        }
    }

    private void PlaceIn(IText text)
    {
        if (!HasSlot(text.Data)) return;
        if (text.ParentElement is { } parent && CodeElements.Contains(parent.LocalName)) throw Refused(text.Data, $"in a <{parent.LocalName}>");
        text.Data = PlacedSlots.Place(text.Data, _ => MergeEncoding.Html);
    }

    private void PlaceIn(IElement element)
    {
        if (HasSlot(element.LocalName)) throw Refused(element.LocalName, "in the name of an element");
        foreach (var attribute in element.Attributes.ToList())
        {
            if (HasSlot(attribute.Name)) throw Refused(attribute.Name, $"in the name of an attribute of <{element.LocalName}>");
            var address = AddressAttributes.Contains(attribute.Name);
            var value = address ? Encoded().Replace(attribute.Value, match => Uri.UnescapeDataString(match.Value)) : attribute.Value;
            if (!HasSlot(value)) continue;
            if (CodeAttributes.Contains(attribute.Name) || attribute.Name.StartsWith("on", StringComparison.Ordinal))
                throw Refused(value, $"in the attribute {attribute.Name} of <{element.LocalName}>");
            if (web && address && IsUnsubscribe(value))
            {
                element.RemoveAttribute(attribute.Name);
                continue;
            }
            attribute.Value = PlacedSlots.Place(value, place => address ? InAddress(place) : MergeEncoding.Html);
        }
    }

    // The unsubscribe page's address is one already; whatever else begins an address could say "javascript:", so it is percent-encoded.
    private MergeEncoding InAddress((int Offset, int Index) place)
        => place.Offset == 0 && slots[place.Index].Slot is { Field: MergeField.UnsubscribeUrl } ? MergeEncoding.Html : MergeEncoding.Url;

    private bool IsUnsubscribe(string address) => SlotTokens.Find(address).Any(token => InAddress((token.Offset, token.Index)) == MergeEncoding.Html);

    private static bool HasSlot(string text) => text.Contains(SlotTokens.Open);

    private TemplateException Refused(string text, string place)
    {
        var slot = slots[SlotTokens.Find(text).First().Index].Slot;
        var name = slot is null ? "{{" : slot.Field == MergeField.Attribute ? $"attributes.{slot.Attribute}" : slot.Field == MergeField.UnsubscribeUrl ? "unsubscribe_url" : slot.Field.ToString().ToLowerInvariant();
        return new TemplateException($"{file}: the merge slot '{name}' stands {place}, where no value is safe; move it into text or into an ordinary attribute.");
    }

    [GeneratedRegex("%EE%80%80(?:%E[EF]%[89AB][0-9A-F]%[89AB][0-9A-F])(?:%EE%80%81)*", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Encoded();
}
