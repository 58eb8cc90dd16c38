using System.Globalization;
using System.Text.RegularExpressions;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Issues;

/// <summary>The keys of the front matter: what each takes, and what is said when it gets something else.</summary>
internal sealed partial class FrontMatterKeys(FrontMatter result, FindingList findings)
{
    private const int MaxTextLength = 1000;

    private static readonly string[] Known =
        ["title", "permalink", "subject", "preheader", "date", "draft", "lists", "author", "language", "cover"];

    // Without these an issue goes to more people, or sooner, than its author meant.
    private static readonly string[] Restraining = ["date", "draft", "lists"];

    private readonly HashSet<string> _seen = [];

    /// <summary>Takes one pair.</summary>
    public void Set(string key, int offset, YamlValue value)
    {
        if (!Known.Contains(key)) ReportUnknown(key, offset);
        else if (!_seen.Add(key)) findings.Error("front-matter-duplicate", offset, $"The key {key} stands twice in the front matter.");
        else SetKnown(key, value);
    }

    private void SetKnown(string key, YamlValue value)
    {
        switch (key)
        {
            case "title": result.Title = Text(key, value, slots: true) ?? new Placed<string>("", value.Offset); break;
            case "subject": result.Subject = Text(key, value, slots: true); break;
            case "preheader": result.Preheader = Text(key, value, slots: true); break;
            case "permalink": result.Permalink = Text(key, value); break;
            case "author": result.Author = Text(key, value)?.Value; break;
            case "date": result.Date = Date(value); break;
            case "draft": result.Draft = Draft(value); break;
            case "language": result.Language = Matching(LanguageTag(), key, value, "a language tag such as en or pt-BR (BCP 47)"); break;
            case "cover": result.Cover = Cover(value); break;
            default: result.Lists = Lists(value); break;
        }
    }

    private Placed<string>? Text(string key, YamlValue value, bool slots = false)
    {
        if (!value.IsSimple || value.Items is not null) return Wrong(key, value, "a text");
        if (value.IsCut) findings.Warning("front-matter-comment", value.Offset, $"What follows the # is a comment and not part of {key}: put the text in quotes if it is meant.");
        if (value.Text is null) return null;
        var text = LineBreaks().Replace(value.Text, " ").Trim();
        if (text.Length > MaxTextLength)
            findings.Error("front-matter-too-long", value.Offset, $"{key} has {text.Length} characters; {MaxTextLength} are allowed.");
        if (text.Any(char.IsControl) || HasLoneSurrogate(text))
            findings.Error("front-matter-control-character", value.Offset, $"{key} holds a control character; remove it.");
        if (!slots && SlotTokens.Find(text).Any())
            findings.Error("slot-not-allowed", value.Offset, $"{key} cannot hold a merge slot; title, subject, preheader and the text can.");
        return text.Length == 0 ? null : new Placed<string>(text, value.Offset);
    }

    private Placed<string>? Wrong(string key, YamlValue value, string wanted)
    {
        findings.Error("front-matter-type", value.Offset, $"{key} has to be {wanted}.");
        return null;
    }

    private string? Matching(Regex pattern, string key, YamlValue value, string wanted)
    {
        var text = Text(key, value);
        return text is null || pattern.IsMatch(text.Value) ? text?.Value : Wrong(key, value, wanted)?.Value;
    }

    // Jekyll's form with a time and a zone is common; the day is taken as it is written.
    private DateOnly? Date(YamlValue value)
    {
        const string Wanted = "a day such as 2020-09-21";
        var text = Matching(DatePattern(), "date", value, Wanted);
        if (text is null) return null;
        if (DateOnly.TryParseExact(text[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)) return date;
        Wrong("date", value, Wanted);
        return null;
    }

    private bool Draft(YamlValue value)
        => Matching(Truth(), "draft", value, "true or false") is { } text && text.ToLowerInvariant() is "true" or "yes" or "on";

    private string? Cover(YamlValue value)
    {
        var text = Text("cover", value);
        var isWeb = text is null || (Uri.TryCreate(text.Value, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http");
        return isWeb ? text?.Value : Wrong("cover", value, "the whole address of a picture, with https://")?.Value;
    }

    private List<string> Lists(YamlValue value)
    {
        var items = value.Items ?? [value];
        // Not the same as no key at all: whoever writes lists: does not mean everybody.
        if (items.All(item => item.IsSimple && string.IsNullOrWhiteSpace(item.Text)))
        {
            findings.Error("lists-empty", value.Offset, "lists names no list: name one, or remove the key and the issue goes to every list.");
            return [];
        }
        var names = new List<string>();
        foreach (var item in items)
        {
            if (Matching(ListName(), "lists", item, "the name of a list, or names as in [readers, staff]; a name is 1 to 64 letters, digits, dots, dashes and underscores") is { } name)
                names.Add(name.ToLowerInvariant());
        }
        return names.Distinct().ToList();
    }

    private void ReportUnknown(string key, int offset)
    {
        var nearest = Known.MinBy(known => Distance(key.ToLowerInvariant(), known))!;
        if (Restraining.Contains(key.ToLowerInvariant()))
            findings.Error("front-matter-unknown-key", offset, $"The key {Quoted.Text(key)} is not known and does nothing: write {nearest}, in small letters.");
        else if (key.Length <= 20 && Distance(key.ToLowerInvariant(), nearest) <= 2)
            findings.Warning("front-matter-unknown-key", offset, $"The key {Quoted.Text(key)} is not known and does nothing; did you mean {nearest}?");
        else
            findings.Info("front-matter-unknown-key", offset, $"The key {Quoted.Text(key)} is not known and does nothing. Known: {string.Join(", ", Known)}.");
    }

    // Levenshtein's distance, on two rows.
    private static int Distance(string left, string right)
    {
        if (left.Length > 20) return left.Length;
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= right.Length; j++)
            {
                var substitute = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitute, 1 + Math.Min(row[j], row[j - 1]));
            }
        }
        return row[^1];
    }

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return true;
            i++;
        }
        return false;
    }

    [GeneratedRegex("[\r\n\t\u0085\u2028\u2029]+", RegexOptions.CultureInvariant)]
    private static partial Regex LineBreaks();

    [GeneratedRegex(@"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}\z", RegexOptions.CultureInvariant)]
    private static partial Regex LanguageTag();

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}([Tt ]+\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s*(Z|[+-]\d{1,2}:?(\d{2})?)?)?\z", RegexOptions.IgnoreCase | RegexOptions.ECMAScript)]
    private static partial Regex DatePattern();

    [GeneratedRegex(@"^(true|false|yes|no|on|off)\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Truth();

    // The rule of WeeklyDigest.Audience.ListName, which this stage of the pipeline does not know; a test holds them together.
    [GeneratedRegex(@"^(?=.*[\p{L}\p{Nd}])[\p{L}\p{Nd}._-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ListName();
}
