namespace WeeklyDigest.Rendering;

/// <summary>What the views issue.cshtml and issue.text.cshtml show: the <c>@Model</c> of both.</summary>
/// <param name="Newsletter">The newsletter's name.</param>
/// <param name="HomeUrl">Address of the newsletter's public pages.</param>
/// <param name="WebUrl">Address of this issue's archive page.</param>
/// <param name="FeedUrl">Where a feed will be; no page is there yet. Templates made from an earlier one may name it.</param>
/// <param name="Web">True while the archive page is rendered: there is no recipient then.</param>
/// <param name="Subject">The subject.</param>
/// <param name="Headline">The title's first part, without the "week 1 -" that says the number again.</param>
/// <param name="Deck">The title's other parts; may be empty.</param>
/// <param name="Number">The issue's number, or null.</param>
/// <param name="Date">The date as the issue's language writes it.</param>
/// <param name="Author">Who wrote it, or null.</param>
/// <param name="Preheader">The line mail programs show beside the subject, or null.</param>
/// <param name="Cover">Absolute address of a cover picture, or null.</param>
/// <param name="Language">BCP 47 tag, for <c>lang</c>.</param>
/// <param name="Direction"><c>ltr</c> or <c>rtl</c>, for <c>dir</c>.</param>
/// <param name="ReadingMinutes">How long it takes to read, in minutes, at least 1.</param>
/// <param name="Intro">What stands before the first entry.</param>
/// <param name="IntroNotes">The addresses that the intro's text numbers.</param>
/// <param name="Entries">The entries in order.</param>
/// <param name="PostalAddress">The lines of the postal address.</param>
public sealed record IssueView(
    string Newsletter,
    string HomeUrl,
    string WebUrl,
    string FeedUrl,
    bool Web,
    string Subject,
    string Headline,
    IReadOnlyList<string> Deck,
    int? Number,
    string Date,
    string? Author,
    string? Preheader,
    string? Cover,
    string Language,
    string Direction,
    int ReadingMinutes,
    IReadOnlyList<BlockView> Intro,
    IReadOnlyList<NoteView> IntroNotes,
    IReadOnlyList<EntryView> Entries,
    IReadOnlyList<string> PostalAddress);

/// <summary>An entry of an issue.</summary>
/// <param name="Number">Its number in the issue, from 1.</param>
/// <param name="Anchor">The fragment that leads to it.</param>
/// <param name="Title">The title with its emphasis and code.</param>
/// <param name="PlainTitle">The title as plain text.</param>
/// <param name="Links">What its buttons lead to.</param>
/// <param name="Blocks">Its paragraphs, lists, tables and so on.</param>
/// <param name="Notes">The addresses that the entry's text numbers.</param>
public sealed record EntryView(
    int Number,
    string Anchor,
    Markup Title,
    string PlainTitle,
    IReadOnlyList<LinkView> Links,
    IReadOnlyList<BlockView> Blocks,
    IReadOnlyList<NoteView> Notes);

/// <summary>A labelled link.</summary>
/// <param name="Label">What the button says.</param>
/// <param name="Url">The absolute address.</param>
public sealed record LinkView(string Label, string Url);

/// <summary>A block of an issue, in both forms.</summary>
/// <param name="Label">The question it answers ("What is it?"), or null.</param>
/// <param name="Html">The block for the HTML part.</param>
/// <param name="Text">The block for the text part, wrapped at 72 columns; no line break at its end.</param>
public sealed record BlockView(string? Label, Markup Html, string Text);

/// <summary>An address that the text part shows as a number in brackets.</summary>
/// <param name="Number">The number, counted through the issue from 1.</param>
/// <param name="Url">The address.</param>
public sealed record NoteView(int Number, string Url);
