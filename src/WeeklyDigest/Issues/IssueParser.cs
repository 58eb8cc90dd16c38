using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Issues;

/// <summary>Parses an issue file. Pure: no I/O, no clock. Never throws, whatever the bytes are.</summary>
public static partial class IssueParser
{
    /// <summary>The largest file that is read, in bytes: 2 MB of Markdown is twenty times what Gmail shows uncut.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    /// <summary>The most merge slots that an issue may have, braces that are meant as such among them: the tokens from there on are those of the templates.</summary>
    public const int MaxSlots = 4096;

    /// <summary>Parses the bytes of a file.</summary>
    /// <param name="bytes">The file's bytes, UTF-8 with or without BOM.</param>
    /// <param name="fileName">The file's name without folder and extension: the slug when there is no permalink.</param>
    /// <returns>The issue, null when a finding is an error; and all findings by line and column.</returns>
    public static (Issue? Issue, IReadOnlyList<Finding> Findings) Parse(ReadOnlyMemory<byte> bytes, string fileName)
    {
        var reading = Read(bytes, fileName);
        return (reading.Issue, reading.Findings);
    }

    /// <summary>Parses, and says what is known of a file with errors.</summary>
    internal static IssueReading Read(ReadOnlyMemory<byte> bytes, string fileName)
    {
        if (FileForm.Refusal(bytes.Span) is { } refusal) return new IssueReading(null, [refusal], null, null, (1, 1));
        var (text, bad) = SourceText.Decode(bytes.Span);
        var source = new SourceText(text);
        var findings = new FindingList(source);
        if (bad is { } place)
            findings.Error("not-utf8", place.Offset, $"The byte 0x{bytes.Span[place.ByteOffset]:X2} here is not UTF-8: save the file as UTF-8 (its present encoding may be Windows-1252 or Latin-1).");
        return Read(source, findings, fileName, () => Convert.ToHexStringLower(SHA256.HashData(bytes.Span)));
    }

    private static IssueReading Read(SourceText source, FindingList findings, string fileName, Func<string> hash)
    {
        var slots = new List<MergePart>();
        var text = Tokenized(source.Text, slots, findings);
        var front = FrontMatterReader.Read(text, findings);
        CheckTitle(front, findings);
        var (permalink, slug) = PermalinkOf(front, fileName, findings);
        var (intro, entries) = BodyOf(text, front.BodyStart, slots, findings);
        ContentWarnings.Check(front, slots, findings);
        var issue = findings.HasErrors ? null : Build(front, permalink!, slug!, fileName, intro, entries, slots, hash());
        return new IssueReading(issue, findings.InOrder(), permalink, slug, source.PlaceOf(front.Permalink?.Offset ?? front.Offset));
    }

    private static (IReadOnlyList<IssueBlock> Intro, IReadOnlyList<Entry> Entries) BodyOf(string text, int bodyStart, List<MergePart> slots, FindingList findings)
    {
        var document = IssueMarkdown.Parse(text, bodyStart, findings);
        if (document is null) return ([], []);
        RawHtml.Tame(document, findings);
        if (document.Count == 0) findings.Error("content-missing", bodyStart, "The issue has no text: write some below the front matter.");
        var (intro, entries) = IssueOutline.Of(document, slots, findings);
        new LinkRules(slots, entries.Select(entry => entry.Anchor).ToHashSet(), findings).Check(document);
        return (intro, entries);
    }

    private static string Tokenized(string source, List<MergePart> slots, FindingList findings)
    {
        var problems = new List<(int Offset, string Message)>();
        var text = SlotTokens.Tokenize(source, slots, problems, MaxSlots);
        foreach (var (offset, message) in problems) findings.Error(source[offset] is '{' or '\\' ? "slot-unknown" : "private-use-character", offset, message);
        foreach (var entity in NumericEntity().Matches(text).Where(IsPrivateUse).TakeWhile(_ => !findings.IsCut))
            findings.Error("private-use-character", entity.Index, $"{entity.Value} is from Unicode's private use area and has no agreed meaning; remove it.");
        foreach (var match in ControlCharacter().EnumerateMatches(text))
        {
            if (findings.IsCut) break;
            findings.Warning("control-character", match.Index, $"An invisible control character (U+{(int)text[match.Index]:X4}) stands here; it is sent as a space.");
        }
        return text;
    }

    private static void CheckTitle(FrontMatter front, FindingList findings)
    {
        if (front.Title is { Value.Length: 0 } empty) findings.Error("title-empty", empty.Offset, "The title is empty: write title: and the issue's title.");
        else if (front.Title is null && front.IsWhole)
            findings.Error("title-missing", front.Offset, "The issue has no title: begin the file with a line ---, a line title: and the title, and a line ---.");
    }

    private static (string? Permalink, IssueSlug? Slug) PermalinkOf(FrontMatter front, string fileName, FindingList findings)
    {
        var permalink = front.Permalink?.Value ?? (IssueSlug.TryParse(fileName, out _) ? $"/posts/{fileName}" : "");
        var (slug, problem) = Permalink.Read(permalink);
        if (slug is not null) return (permalink, slug);
        if (front.Permalink is { } given) findings.Error("permalink-bad", given.Offset, $"The permalink {Quoted.Text(given.Value)} cannot be used: {problem}");
        else findings.Error("permalink-missing", front.Offset, $"The file's name {Quoted.Text(fileName)} makes no address: add a line permalink: /posts/… or rename the file, as week-1.md.");
        return (null, null);
    }

    private static Issue Build(
        FrontMatter front, string permalink, IssueSlug slug, string fileName, IReadOnlyList<IssueBlock> intro, IReadOnlyList<Entry> entries, List<MergePart> slots, string hash)
    {
        var title = front.Title!.Value;
        var parts = title.Split(" | ", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var plainParts = parts.Select(part => SlotTokens.AtFallback(part, slots));
        return new Issue(
            slug, permalink, SlotTokens.AtFallback(title, slots), parts.Length == 0 ? [title] : parts, front.Subject?.Value ?? title,
            IssueNumber.Of(plainParts, fileName), front.Preheader?.Value ?? Preheader.From(intro), front.Date, front.Draft, front.Lists,
            front.Author, front.Language, front.Cover, intro, entries, slots, hash);
    }

    private static bool IsPrivateUse(Match entity)
    {
        var isHex = entity.Groups["hex"].Success;
        var digits = (isHex ? entity.Groups["hex"] : entity.Groups["dec"]).ValueSpan;
        var value = int.Parse(digits, isHex ? NumberStyles.HexNumber : NumberStyles.None, CultureInfo.InvariantCulture);
        return value is >= 0xE000 and <= 0xF8FF;
    }

    [GeneratedRegex("&#(?:[xX]0*(?<hex>[0-9a-fA-F]{1,6})|0*(?<dec>[0-9]{1,8}));", RegexOptions.CultureInvariant)]
    private static partial Regex NumericEntity();

    // All but tab and line breaks: a stray form feed or escape comes from a paste.
    [GeneratedRegex("[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]", RegexOptions.CultureInvariant)]
    private static partial Regex ControlCharacter();
}
