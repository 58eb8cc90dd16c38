using System.Globalization;
using System.Text.RegularExpressions;
using WeeklyDigest.Issues;

namespace WeeklyDigest.Rendering;

/// <summary>Turns an issue into what the views show.</summary>
/// <param name="issue">The issue.</param>
/// <param name="newsletter">The identity.</param>
/// <param name="date">The date shown when the issue has none.</param>
/// <param name="web">Whether it is for the archive page.</param>
internal sealed partial class IssueViewBuilder(Issue issue, Newsletter newsletter, DateOnly date, bool web)
{
    private readonly string page = newsletter.UrlOf(issue.Permalink);
    private readonly LinkNotes notes = new();

    /// <summary>The view.</summary>
    public IssueView Build()
    {
        var address = new Uri(page);
        var html = new MarkdownHtml(address);
        var cleaner = new MarkupCleaner(address);
        var text = new PlainBlocks(new PlainInlines(cleaner.Absolute, notes));
        var intro = Blocks(issue.Intro, html, text);
        var introNotes = notes.Take();
        var entries = issue.Entries.Select((entry, index) => Entry(entry, index + 1, html, text)).ToList();
        var culture = CultureOf(issue.Language ?? newsletter.Language);
        return new IssueView(
            newsletter.Name, newsletter.UrlOf("/"), page, newsletter.UrlOf("/feed.xml"), web,
            OneLine(issue.Subject), Headline(), [.. issue.TitleParts.Skip(1)], issue.Number, DateText(culture), issue.Author,
            issue.Preheader is { } preheader ? OneLine(preheader) : null, issue.Cover is { } cover ? cleaner.Absolute(cover) : null,
            issue.Language ?? newsletter.Language, culture.TextInfo.IsRightToLeft ? "rtl" : "ltr", ReadingTime.Minutes(Prose(intro, entries)),
            intro, introNotes, entries, newsletter.PostalAddress.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
    }

    private EntryView Entry(Entry entry, int number, MarkdownHtml html, PlainBlocks text)
    {
        var blocks = Blocks(entry.Blocks, html, text);
        var links = entry.Links.Select(link => new LinkView(link.Label, link.Url)).ToList();
        return new EntryView(number, entry.Anchor, html.Inlines(entry.Title), entry.PlainTitle, links, blocks, notes.Take());
    }

    private static List<BlockView> Blocks(IEnumerable<IssueBlock> blocks, MarkdownHtml html, PlainBlocks text)
        => [.. blocks.Select(block => new BlockView(block.Label, html.Block(block.Block), text.Text(block.Block)))
            .Where(block => block.Label is not null || block.Text.Length > 0 || block.Html.Html.Length > 0)];

    private string Headline()
    {
        var first = issue.TitleParts[0];
        if (issue.Number is not { } number) return first;
        var match = NumberPrefix().Match(first);
        var repeated = match.Success && match.Groups[1].Value == number.ToString(CultureInfo.InvariantCulture);
        return repeated ? Capitalised(first[match.Length..]) : first;
    }

    // What is left begins the line now. A name like iPhone keeps its letters.
    private static string Capitalised(string text)
        => text is [var first, var second, ..] && char.IsLower(first) && !char.IsUpper(second) ? char.ToUpperInvariant(first) + text[1..] : text;

    private string DateText(CultureInfo culture)
    {
        var day = issue.Date ?? date;
        var english = culture.TwoLetterISOLanguageName is "en" or "iv";
        return day.ToString(english && culture.Name != "en-US" ? "d MMMM yyyy" : english ? "MMMM d, yyyy" : "D", english ? CultureInfo.InvariantCulture : Reaching(day, culture));
    }

    // A calendar may not have the day, as that of Saudi Arabia after 2077; the language has the common one as well.
    private static CultureInfo Reaching(DateOnly day, CultureInfo culture)
    {
        var calendar = culture.DateTimeFormat.Calendar;
        var noon = day.ToDateTime(new TimeOnly(12, 0));
        if (noon >= calendar.MinSupportedDateTime && noon <= calendar.MaxSupportedDateTime) return culture;
        if (culture.OptionalCalendars.OfType<GregorianCalendar>().FirstOrDefault() is not { } common) return CultureInfo.InvariantCulture;
        var other = (CultureInfo)culture.Clone();
        other.DateTimeFormat.Calendar = common;
        return other;
    }

    private static IEnumerable<string> Prose(IEnumerable<BlockView> intro, IEnumerable<EntryView> entries)
        => intro.Select(block => block.Text).Concat(entries.SelectMany(entry => entry.Blocks.Select(block => block.Text).Prepend(entry.PlainTitle)));

    private static string OneLine(string text) => WhiteSpace().Replace(text, " ").Trim();

    private static CultureInfo CultureOf(string language)
    {
        try
        {
            return CultureInfo.GetCultureInfo(language);
        }
        catch (CultureNotFoundException)
        {
            return CultureInfo.InvariantCulture;
        }
    }

    [GeneratedRegex(@"^(?:week|issue|edition|number|no\.?|nr\.?|#)?\s*#?(\d+)\s*[-\u2013\u2014:.]\s+", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex NumberPrefix();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex WhiteSpace();
}
