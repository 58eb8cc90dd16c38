using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Issues;

/// <summary>One weekly edition, parsed from a Markdown file with YAML front matter. The issue format is specified in docs/issue-format.md.</summary>
/// <param name="Slug">The last segment of <paramref name="Permalink"/>; unique among the issues.</param>
/// <param name="Permalink">Path of the archive page, starting with a slash; default <c>/posts/{file name}</c>.</param>
/// <param name="Title">The title as written, slots at their fallbacks; not empty.</param>
/// <param name="TitleParts">The title split at <c> | </c>, trimmed, with slot tokens; at least one.</param>
/// <param name="Subject">The e-mail's subject, with slot tokens: front matter <c>subject</c>, else the title.</param>
/// <param name="Number">The issue's number where the title or file name says one ("week 1"), else null.</param>
/// <param name="Preheader">The line mail programs show beside the subject, with slot tokens: front matter, else the intro's beginning; null without either.</param>
/// <param name="Date">The issue's date; an issue with a later date is not ready. Null: ready at once.</param>
/// <param name="Draft">A draft is never ready.</param>
/// <param name="Lists">The lists the issue goes to, in lower case; empty: every list.</param>
/// <param name="Author">Who wrote it, or null.</param>
/// <param name="Language">BCP 47 tag, or null for the newsletter's.</param>
/// <param name="Cover">Address of a cover picture, or null.</param>
/// <param name="Intro">What stands before the first entry.</param>
/// <param name="Entries">The entries in order.</param>
/// <param name="SlotTable">What the slot tokens in subject, preheader and blocks stand for (see <see cref="SlotTokens"/>).</param>
/// <param name="Hash">SHA-256 of the file's bytes, lower-case hex.</param>
public sealed record Issue(
    IssueSlug Slug,
    string Permalink,
    string Title,
    IReadOnlyList<string> TitleParts,
    string Subject,
    int? Number,
    string? Preheader,
    DateOnly? Date,
    bool Draft,
    IReadOnlyList<string> Lists,
    string? Author,
    string? Language,
    string? Cover,
    IReadOnlyList<IssueBlock> Intro,
    IReadOnlyList<Entry> Entries,
    IReadOnlyList<MergePart> SlotTable,
    string Hash)
{
    /// <summary>Whether the weekly job may send it: not a draft, and its date has come.</summary>
    public bool IsReady(DateOnly today) => !Draft && (Date is null || Date <= today);
}

/// <summary>One <c>###</c> section of an issue.</summary>
/// <param name="Title">The heading's inlines; may hold code, emphasis or slots.</param>
/// <param name="PlainTitle">The heading as plain text, with slot tokens.</param>
/// <param name="Anchor">The fragment that leads to it, unique in the issue: lower-case ASCII letters, digits and dashes.</param>
/// <param name="Links">The links that stand alone right under the heading, in order; shown as buttons.</param>
/// <param name="Blocks">All else, in order.</param>
public sealed record Entry(HeadingBlock Title, string PlainTitle, string Anchor, IReadOnlyList<EntryLink> Links, IReadOnlyList<IssueBlock> Blocks);

/// <summary>A link of an entry.</summary>
/// <param name="Url">The absolute http(s) address as written, with slot tokens.</param>
/// <param name="Label">What its button says: the author's words where there are any, else <c>arXiv 2009.06489</c>, <c>GitHub owner/repo</c>, or the host.</param>
public sealed record EntryLink(string Url, string Label);

/// <summary>A top-level block of Markdown.</summary>
/// <param name="Label">The bold question a labelled paragraph starts with, without it in <paramref name="Block"/>; else null.</param>
/// <param name="Block">
/// The Markdig block, to be rendered with <see cref="IssueMarkdown.Pipeline"/>; merge slots in it are slot tokens, in literals and in URLs. It
/// holds no HTML but the inlines <c>sub</c>, <c>sup</c> and <c>kbd</c>, no unmatched delimiters, and no link that is unsafe or relative; a link may
/// be the unsubscribe slot alone, or lead to an entry's anchor. Footnotes are a FootnoteGroup, the last block of the last entry.
/// </param>
public sealed record IssueBlock(string? Label, Block Block)
{
    /// <summary>All inlines in the block, at any depth, in order.</summary>
    /// <remarks>Markdig's own <c>Descendants()</c> finds nothing when it is called on a paragraph, only on what contains blocks.</remarks>
    public IEnumerable<Inline> Inlines() => Block switch
    {
        LeafBlock leaf => leaf.Inline?.Descendants().OfType<Inline>() ?? [],
        _ => Block.Descendants().OfType<Inline>(),
    };
}
