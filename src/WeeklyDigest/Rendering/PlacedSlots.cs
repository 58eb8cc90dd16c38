using System.Text.RegularExpressions;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Rendering;

/// <summary>Slot tokens that carry how their value is encoded: what lies between the document and the merge template.</summary>
/// <remarks>A placed token is U+E000, the index character of <see cref="SlotTokens"/>, and U+E002 for HTML or U+E003 for inside an address.</remarks>
internal static partial class PlacedSlots
{
    private const char Html = '\uE002';
    private const char Url = '\uE003';

    /// <summary>Marks every token of a text with an encoding that may depend on where it stands.</summary>
    public static string Place(string text, Func<(int Offset, int Index), MergeEncoding> encoding)
    {
        var placed = new System.Text.StringBuilder();
        var last = 0;
        foreach (var (offset, length, index) in SlotTokens.Find(text))
        {
            placed.Append(text, last, offset - last).Append(text, offset, 2).Append(encoding((offset, index)) == MergeEncoding.Url ? Url : Html);
            last = offset + length;
        }
        return placed.Append(text, last, text.Length - last).ToString();
    }

    /// <summary>The merge template of HTML with placed tokens.</summary>
    public static MergeTemplate HtmlTemplate(string html, SlotTable slots)
    {
        var builder = new MergeTemplateBuilder();
        var last = 0;
        foreach (Match token in Placed().Matches(html))
        {
            builder.Text(html.AsSpan(last, token.Index - last));
            builder.Part(slots[SlotTokens.Find(token.Value[..2]).Single().Index], token.Value[2] == Url ? MergeEncoding.Url : MergeEncoding.Html);
            last = token.Index + token.Length;
        }
        return builder.Text(html.AsSpan(last)).Build();
    }

    /// <summary>The merge template of plain text: as it is, but percent-encoded inside an address.</summary>
    public static MergeTemplate TextTemplate(string text, SlotTable slots)
    {
        var builder = new MergeTemplateBuilder();
        var addresses = Address().Matches(text);
        var last = 0;
        foreach (var (offset, length, index) in SlotTokens.Find(text))
        {
            builder.Text(text.AsSpan(last, offset - last));
            var inAddress = addresses.Any(address => address.Index < offset && offset < address.Index + address.Length);
            builder.Part(slots[index], inAddress ? MergeEncoding.Url : MergeEncoding.Plain);
            last = offset + length;
        }
        return builder.Text(text.AsSpan(last)).Build();
    }

    [GeneratedRegex("\uE000[\uE100-\uF8FF][\uE002\uE003]", RegexOptions.CultureInvariant)]
    private static partial Regex Placed();

    [GeneratedRegex(@"\b(?:https?://|mailto:|tel:)[^\s<>]+", RegexOptions.CultureInvariant)]
    private static partial Regex Address();
}
