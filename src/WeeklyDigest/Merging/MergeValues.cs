using System.Net;

namespace WeeklyDigest.Merging;

/// <summary>What one recipient's slots are filled with.</summary>
/// <param name="Name">The name, or null.</param>
/// <param name="Email">The address.</param>
/// <param name="Attributes">Attributes by lower-case name.</param>
/// <param name="UnsubscribeUrl">The absolute address of the recipient's unsubscribe page.</param>
public sealed record MergeValues(
    string? Name,
    string Email,
    IReadOnlyDictionary<string, string> Attributes,
    string UnsubscribeUrl)
{
    /// <summary>The value of a slot, or its fallback when the recipient has none; not encoded.</summary>
    public string Resolve(MergeSlot slot)
    {
        var value = slot.Field switch
        {
            MergeField.Name => Name,
            MergeField.Email => Email,
            MergeField.Attribute => Attributes.GetValueOrDefault(slot.Attribute!),
            MergeField.UnsubscribeUrl => UnsubscribeUrl,
            _ => throw new ArgumentOutOfRangeException(nameof(slot), slot.Field, "not a merge field"),
        };
        return string.IsNullOrEmpty(value) ? slot.Fallback : value;
    }

    /// <summary>The value of a slot as it stands in its place.</summary>
    public string Encoded(MergeSlot slot, MergeEncoding encoding) => encoding switch
    {
        MergeEncoding.Html => WebUtility.HtmlEncode(Resolve(slot)),
        MergeEncoding.Url => Uri.EscapeDataString(Resolve(slot)),
        _ => Resolve(slot),
    };
}
