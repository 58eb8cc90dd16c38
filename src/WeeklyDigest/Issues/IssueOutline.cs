using Markdig.Extensions.Footnotes;
using Markdig.Syntax;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Issues;

/// <summary>Folds the blocks of a document into intro and entries.</summary>
internal sealed class IssueOutline
{
    private const int EntryLevel = 3;

    private readonly IReadOnlyList<MergePart> _slots;
    private readonly FindingList _findings;
    private readonly Anchors _anchors = new();
    private readonly HashSet<string> _titles = [];
    private readonly List<Entry> _entries = [];

    private IssueOutline(IReadOnlyList<MergePart> slots, FindingList findings)
    {
        _slots = slots;
        _findings = findings;
    }

    /// <summary>Folds a document; headings that fold oddly, empty entries and doubles are findings.</summary>
    public static (IReadOnlyList<IssueBlock> Intro, IReadOnlyList<Entry> Entries) Of(MarkdownDocument document, IReadOnlyList<MergePart> slots, FindingList findings)
    {
        var outline = new IssueOutline(slots, findings);
        outline.CheckLevels(document);
        var blocks = document.Where(block => block is not LinkReferenceDefinitionGroup).ToList();
        var starts = Enumerable.Range(0, blocks.Count).Where(i => blocks[i] is HeadingBlock { Level: EntryLevel }).ToList();
        var intro = outline.Labelled(blocks[..(starts.Count == 0 ? blocks.Count : starts[0])]);
        for (var i = 0; i < starts.Count; i++)
            outline.Add((HeadingBlock)blocks[starts[i]], blocks[(starts[i] + 1)..(i + 1 < starts.Count ? starts[i + 1] : blocks.Count)]);
        return (intro, outline._entries);
    }

    private void Add(HeadingBlock heading, List<Block> blocks)
    {
        var title = PlainText.Of(heading);
        var plain = SlotTokens.AtFallback(title, _slots);
        if (title.Length == 0) _findings.Error("entry-title-empty", heading.Span.Start, "This entry has no title: write one behind ###.");
        else if (!_titles.Add(title))
            _findings.Info("entry-title-duplicate", heading.Span.Start, $"Another entry is called {Quoted.Text(title)} too; this one's anchor gets a number.");
        var links = blocks.Select(EntryLinks.In).TakeWhile(found => found is not null).ToList();
        var rest = Labelled(blocks[links.Count..]);
        if (links.Count == 0 && !rest.Any(HasContent))
            _findings.Error("entry-empty", heading.Span.Start, $"Nothing stands below the entry {Quoted.Text(title)}: write it, or remove its heading.");
        _entries.Add(new Entry(heading, title, _anchors.For(plain, _entries.Count + 1), links.SelectMany(found => found!).ToList(), rest));
    }

    // A question alone in its paragraph labels the block that follows it.
    private List<IssueBlock> Labelled(IEnumerable<Block> blocks)
    {
        var result = new List<IssueBlock>();
        (string Label, Block Question)? waiting = null;
        foreach (var block in blocks)
        {
            var label = LabelledParagraph.Cut(block);
            if (waiting is { } earlier && (label is not null || block is HeadingBlock or FootnoteGroup))
            {
                ReportUnanswered(earlier.Label, earlier.Question);
                result.Add(new IssueBlock(earlier.Label, earlier.Question));
                waiting = null;
            }
            if (label is not null && ((ParagraphBlock)block).Inline!.FirstChild is null) waiting = (label, block);
            else
            {
                result.Add(new IssueBlock(label ?? waiting?.Label, block));
                waiting = null;
            }
        }
        if (waiting is { } last)
        {
            ReportUnanswered(last.Label, last.Question);
            result.Add(new IssueBlock(last.Label, last.Question));
        }
        return result;
    }

    private void ReportUnanswered(string label, Block question)
        => _findings.Warning("label-empty", question.Span.Start, $"Nothing follows {Quoted.Text(label)}: write the answer behind it.");

    private static bool HasContent(IssueBlock block)
        => block.Block is not (ThematicBreakBlock or FootnoteGroup) && (block.Label is null || block.Block is not ParagraphBlock { Inline.FirstChild: null });

    private void CheckLevels(MarkdownDocument document)
    {
        var headings = document.OfType<HeadingBlock>().ToList();
        var previous = 0;
        var hasEntry = false;
        foreach (var heading in headings)
        {
            if (heading.Level < EntryLevel && hasEntry)
                _findings.Warning("heading-level", heading.Span.Start, $"This heading does not end the entry above it: it becomes part of it. Write ### for an entry, #### within one.");
            else if (heading.Level > EntryLevel && !hasEntry && previous == 0)
                _findings.Warning("heading-level", heading.Span.Start, "This heading comes before the first entry: write ### if it begins one.");
            else if (heading.Level > previous + 1 && previous >= EntryLevel)
                _findings.Warning("heading-level", heading.Span.Start, $"This heading skips a level: write {new string('#', previous + 1)}.");
            hasEntry |= heading.Level == EntryLevel;
            previous = heading.Level;
        }
        if (!hasEntry && headings.FirstOrDefault(heading => heading.Level < EntryLevel) is { } first)
            _findings.Warning("heading-level", first.Span.Start, "No heading of this issue has three marks, so it has no entries: write ### for an entry.");
    }
}
