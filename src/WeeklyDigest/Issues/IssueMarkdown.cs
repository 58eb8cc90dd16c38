using System.Text.RegularExpressions;
using Markdig;
using Markdig.Extensions.AutoLinks;
using Markdig.Extensions.EmphasisExtras;
using Markdig.Parsers.Inlines;
using Markdig.Syntax;

namespace WeeklyDigest.Issues;

/// <summary>The Markdown that issues are written in: CommonMark with tables, footnotes, task lists, strikethrough and bare addresses as links.</summary>
public static partial class IssueMarkdown
{
    private const int MaxMarks = 20_000;
    private const int MaxMarksInParagraph = 2_000;
    private const int MaxParagraph = 100_000;
    private const int MaxCells = 100_000;

    /// <summary>
    /// The pipeline that parsed an issue's blocks; set a Markdig renderer up with it to render them. Without generic attributes: an
    /// author's text cannot bring in event handlers or styles.
    /// </summary>
    public static MarkdownPipeline Pipeline { get; } = WithTaskBoxes(new MarkdownPipelineBuilder())
        .UsePipeTables()
        .UseFootnotes()
        .UseEmphasisExtras(EmphasisExtraOptions.Strikethrough)
        .UseAutoLinks(new AutoLinkOptions { UseHttpsForWWWLinks = true })
        .UsePreciseSourceLocation()
        .Build();

    /// <summary>Parses the Markdown behind the front matter; offsets in the tree are offsets in the file's text.</summary>
    /// <returns>The document; null when it is beyond all reason, which is a finding.</returns>
    internal static MarkdownDocument? Parse(string text, int bodyStart, FindingList findings)
    {
        var body = Blanked(text, bodyStart);
        if ((TooComplex(body, bodyStart) ?? TooManyCells(body, bodyStart)) is var (offset, reason))
        {
            findings.Error("too-complex", offset, $"{reason} Check what was pasted.");
            return null;
        }
        try
        {
            return Markdown.Parse(body, Pipeline);
        }
        catch (ArgumentException)
        {
            // Markdig's only refusal: quotes, lists or emphasis nested deeper than it follows.
            findings.Error("too-complex", TooDeep(body, bodyStart), "Quotes, lists, brackets or emphasis are nested too deeply in the text that begins here. Check what was pasted.");
            return null;
        }
    }

    // Markdig adds no parser of boxes where there is one.
    private static MarkdownPipelineBuilder WithTaskBoxes(MarkdownPipelineBuilder builder)
    {
        builder.InlineParsers.InsertBefore<LinkInlineParser>(new TaskBoxParser());
        return builder.UseTaskLists();
    }

    // Front matter and control characters become spaces, so that every offset stays.
    private static string Blanked(string text, int bodyStart) => string.Create(text.Length, (text, bodyStart), static (span, source) =>
    {
        for (var i = 0; i < span.Length; i++)
        {
            var c = source.text[i];
            var isLineBreak = c is '\r' or '\n';
            span[i] = !isLineBreak && (i < source.bodyStart || (char.IsControl(c) && c != '\t')) ? ' ' : c;
        }
    });

    // Markdig's time grows with the square of the open brackets and of the bare addresses of a paragraph: 20,000 brackets take 4 seconds, 2 MB
    // of them would take an hour. For each "<?" and "<!" it looks for the end in all of the paragraph.
    private static (int Offset, string Reason)? TooComplex(string text, int bodyStart)
    {
        var (marks, marksHere, start, isBlank) = (0, 0, bodyStart, true);
        for (var i = bodyStart; i < text.Length; i++)
        {
            if (text[i] is '\n' or '\r')
            {
                if (text[i] == '\n' && i > bodyStart && text[i - 1] == '\r') continue;
                if (isBlank) (marksHere, start) = (0, i + 1);
                isBlank = true;
            }
            else if (IsMark(text, i) && (++marks > MaxMarks || ++marksHere > MaxMarksInParagraph)) return (i, "There are too many brackets and addresses here to be a text.");
            else if (!isBlank && i - start > MaxParagraph) return (FirstOfText(text, start), $"A paragraph, list or table has more than {MaxParagraph} characters; mail programs cut a whole issue of that size.");
            isBlank &= text[i] is ' ' or '\t' or '\r' or '\n';
        }
        return null;
    }

    // Markdig fills each row of a table up to the longest: 2,000 bars over 2,000 short rows, 14 KB, would be 4 million cells and half a gigabyte.
    private static (int Offset, string Reason)? TooManyCells(string text, int bodyStart)
    {
        var cells = 0L;
        foreach (var paragraph in Paragraph().EnumerateMatches(text, bodyStart))
        {
            var (rows, longest) = (0L, 0);
            var here = text.AsSpan(paragraph.Index, paragraph.Length);
            foreach (var range in here.SplitAny('\r', '\n'))
            {
                var line = here[range];
                if (!line.IsEmpty) rows++;
                longest = Math.Max(longest, line.Count('|'));
            }
            cells += rows * longest;
            if (cells > MaxCells) return (paragraph.Index, $"The tables up to this one have more than {MaxCells} cells, each row as long as the longest.");
        }
        return null;
    }

    // Where the paragraph begins that Markdig refuses by itself; where the text begins when it is several together.
    private static int TooDeep(string body, int bodyStart)
    {
        foreach (var paragraph in Paragraph().EnumerateMatches(body, bodyStart))
        {
            try
            {
                Markdown.Parse(body.Substring(paragraph.Index, paragraph.Length), Pipeline);
            }
            catch (ArgumentException)
            {
                return paragraph.Index;
            }
        }
        return FirstOfText(body, bodyStart);
    }

    private static int FirstOfText(string text, int from)
    {
        while (from < text.Length && char.IsWhiteSpace(text[from])) from++;
        return from;
    }

    // Lines that are not blank, one after the other. To Markdig no other character makes a line blank, a no-break space for one.
    [GeneratedRegex(@"[^ \t\r\n][^\r\n]*(?:(?:\r\n|\r|\n)[ \t]*[^ \t\r\n][^\r\n]*)*", RegexOptions.CultureInvariant)]
    private static partial Regex Paragraph();

    private static bool IsMark(string text, int i) => text[i] switch
    {
        '[' => true,
        '<' => i + 1 < text.Length && text[i + 1] is '?' or '!',
        ':' => string.CompareOrdinal(text, i, "://", 0, 3) == 0 || EndsWith(text, i, "mailto") || EndsWith(text, i, "tel"),
        '.' => EndsWith(text, i, "www"),
        _ => false,
    };

    private static bool EndsWith(string text, int end, string word) => text.AsSpan(0, end).EndsWith(word, StringComparison.OrdinalIgnoreCase);
}
