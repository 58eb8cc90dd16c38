namespace WeeklyDigest.Merging;

/// <summary>A piece of a merge template: literal text, or a slot and how its value is encoded there.</summary>
/// <param name="Text">The literal text, or null when this is a slot.</param>
/// <param name="Slot">The slot, or null when this is text.</param>
/// <param name="Encoding">How the slot's value is written; Plain for text.</param>
public sealed record MergePart(string? Text, MergeSlot? Slot, MergeEncoding Encoding);

/// <summary>Text with merge slots, rendered once and filled per recipient by splicing: literals are never looked at again.</summary>
/// <param name="Parts">The pieces in order; literal pieces are not empty and never adjoin.</param>
public sealed record MergeTemplate(IReadOnlyList<MergePart> Parts)
{
    /// <summary>A template without slots.</summary>
    public static MergeTemplate Of(string text) => new(text.Length == 0 ? [] : [new MergePart(text, null, MergeEncoding.Plain)]);

    /// <summary>The text as this recipient gets it.</summary>
    public string Fill(MergeValues values)
        => string.Concat(Parts.Select(part => part.Text ?? values.Encoded(part.Slot!, part.Encoding)));
}
