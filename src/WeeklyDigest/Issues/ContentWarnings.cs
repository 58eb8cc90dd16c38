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

    // Spam filters count capitals; an acronym or two is fine.
    private static void CheckShouting(Placed<string> subject, FindingList findings)
    {
        var letters = subject.Value.Where(char.IsLetter).ToList();
        if (letters.Count >= 20 && letters.Count(char.IsUpper) > letters.Count * 3 / 4)
            findings.Warning("subject-shouting", subject.Offset, "The subject is written in capitals; spam filters and readers mind.");
    }
}
