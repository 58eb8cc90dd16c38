using WeeklyDigest.Merging;

namespace WeeklyDigest.Issues;

/// <summary>Cheap advice about what readers will see in their lists of messages.</summary>
internal static class ContentWarnings
{
    private const int MaxSubject = 150;
    private const int MaxPreheader = 200;

    /// <summary>Looks at the parts of an issue that mail programs cut.</summary>
    public static void Check(FrontMatter front, IReadOnlyList<MergePart> slots, FindingList findings)
    {
        if ((front.Subject ?? front.Title) is { } subject)
        {
            CheckPresence(subject, slots, findings);
            CheckLength("subject-long", "The subject", subject, MaxSubject, slots, findings);
            CheckShouting(subject, findings);
        }
        if (front.Preheader is { } preheader) CheckLength("preheader-long", "The preheader", preheader, MaxPreheader, slots, findings);
    }

    private static void CheckLength(string code, string what, Placed<string> text, int limit, IReadOnlyList<MergePart> slots, FindingList findings)
    {
        var length = SlotTokens.AtFallback(text.Value, slots).Length;
        if (length > limit) findings.Warning(code, text.Offset, $"{what} has {length} characters; mail programs cut it long before {limit}.");
    }

    // Nobody is without an address, so a subject that holds one is never empty.
    private static void CheckPresence(Placed<string> subject, IReadOnlyList<MergePart> slots, FindingList findings)
    {
        var hasAddress = SlotTokens.Find(subject.Value).Any(token => token.Index < slots.Count && slots[token.Index].Slot?.Field is MergeField.Email or MergeField.UnsubscribeUrl);
        if (subject.Value.Length > 0 && !hasAddress && string.IsNullOrWhiteSpace(SlotTokens.AtFallback(subject.Value, slots)))
            findings.Warning("subject-empty", subject.Offset, "The subject is empty for a subscriber of whom we do not know what it is made of: add words, or write some behind a bar, as in {{ name | Friend }}.");
    }

    // Spam filters count capitals; an acronym or two is fine.
    private static void CheckShouting(Placed<string> subject, FindingList findings)
    {
        var letters = subject.Value.Where(char.IsLetter).ToList();
        if (letters.Count >= 20 && letters.Count(char.IsUpper) > letters.Count * 3 / 4)
            findings.Warning("subject-shouting", subject.Offset, "The subject is written in capitals; spam filters and readers mind.");
    }
}
