using System.Text.RegularExpressions;

namespace WeeklyDigest.Merging;

/// <summary>
/// Replaces <c>{{ slot }}</c> in Markdown or in a template by private-use characters of the same length, before Markdig, Razor or
/// AngleSharp see them: none of these treats them as special, and every line and column stays what the editor sees.
/// </summary>
/// <remarks>
/// A token is U+E000, one character from U+E100 on that is the index in the table, and padding U+E001. <c>\{{</c> stands for two braces.
/// No other private-use character survives <see cref="Tokenize"/>, so whatever looks like a token later is one.
/// </remarks>
public static partial class SlotTokens
{
    internal const char Open = '\uE000';
    private const char Pad = '\uE001';
    private const char FirstIndex = '\uE100';
    private const int MaxTokens = 0xF8FF - 0xE100;
    private const int MaxProblems = 1000;

    /// <summary>Replaces the slots of a text.</summary>
    /// <param name="source">Markdown or template text.</param>
    /// <param name="table">Where the tokens' meanings are appended: a slot, or the literal text <c>{{</c>.</param>
    /// <param name="problems">Where problems are appended: offset in <paramref name="source"/> and message; at most 1,000.</param>
    /// <param name="most">How many meanings the table may have in the end.</param>
    /// <returns>A text of the same length. Slots with problems stay as they were; private-use characters of the source become U+FFFD.</returns>
    public static string Tokenize(string source, IList<MergePart> table, ICollection<(int Offset, string Message)> problems, int most = MaxTokens)
    {
        var clean = PrivateUse().Replace(source, stray =>
        {
            if (problems.Count < MaxProblems) problems.Add((stray.Index, $"The character U+{(int)stray.Value[0]:X4} is from Unicode's private use area and has no agreed meaning; remove it."));
            return "\uFFFD";
        });
        return SlotPattern().Replace(clean, match => Token(match, table, problems, most));
    }

    /// <summary>Every token of a text with its place and index, in order.</summary>
    public static IEnumerable<(int Offset, int Length, int Index)> Find(string text)
        => TokenPattern().Matches(text).Select(match => (match.Index, match.Length, match.Value[1] - FirstIndex));

    /// <summary>The text as a recipient gets it of whom nothing is known: each token replaced by its slot's fallback.</summary>
    /// <param name="text">Text with tokens of <paramref name="table"/>.</param>
    /// <param name="table">The tokens' meanings.</param>
    public static string AtFallback(string text, IReadOnlyList<MergePart> table) => TokenPattern().Replace(text, match =>
    {
        var index = match.Value[1] - FirstIndex;
        return index < table.Count ? table[index].Text ?? table[index].Slot!.Fallback : "\uFFFD";
    });

    private static string Token(Match match, IList<MergePart> table, ICollection<(int, string)> problems, int most)
    {
        if (problems.Count >= MaxProblems) return match.Value;
        var (part, problem) = Read(match);
        if (part is not null && table.Count >= most) problem = $"More than {most} merge slots in one text.";
        if (problem is not null)
        {
            problems.Add((match.Index, problem));
            return match.Value;
        }
        table.Add(part!);
        return string.Concat(Open, (char)(FirstIndex + table.Count - 1)) + new string(Pad, match.Length - 2);
    }

    private static (MergePart? Part, string? Problem) Read(Match match)
    {
        if (match.Value[0] == '\\') return (new MergePart("{{", null, MergeEncoding.Plain), null);
        if (!match.Groups["body"].Success)
            return (null, "This merge slot is not closed: write {{ name }} on one line, or \\{{ for two braces.");
        var body = match.Groups["body"].Value.Split('|', 2);
        var fallback = body.Length == 2 ? body[1].Trim() : "";
        var name = body[0].Trim();
        var slot = SlotNamed(name, fallback);
        return slot is null
            ? (null, $"There is no merge slot {Quoted.Text(name)}. Known: name, email, unsubscribe_url, attributes.COLUMN; write \\{{{{ for two braces.")
            : (new MergePart(null, slot, MergeEncoding.Plain), null);
    }

    private static MergeSlot? SlotNamed(string name, string fallback) => name switch
    {
        "name" => new MergeSlot(MergeField.Name, null, fallback),
        "email" => new MergeSlot(MergeField.Email, null, fallback),
        "unsubscribe_url" => new MergeSlot(MergeField.UnsubscribeUrl, null, fallback),
        _ when AttributePattern().Match(name) is { Success: true } match
            => new MergeSlot(MergeField.Attribute, match.Groups[1].Value.ToLowerInvariant(), fallback),
        _ => null,
    };

    [GeneratedRegex(@"\\\{\{|\{\{(?:(?<body>[^{}\r\n]*)\}\})?", RegexOptions.CultureInvariant)]
    private static partial Regex SlotPattern();

    [GeneratedRegex(@"^attributes\.([\w.-]{1,64})$", RegexOptions.CultureInvariant)]
    private static partial Regex AttributePattern();

    [GeneratedRegex("\uE000[\uE100-\uF8FF]\uE001*", RegexOptions.CultureInvariant)]
    private static partial Regex TokenPattern();

    [GeneratedRegex("[\uE000-\uF8FF]", RegexOptions.CultureInvariant)]
    private static partial Regex PrivateUse();
}
