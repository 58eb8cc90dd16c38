using Markdig.Extensions.TaskLists;
using Markdig.Helpers;
using Markdig.Parsers;
using Markdig.Syntax;

namespace WeeklyDigest.Issues;

/// <summary>
/// Takes `[ ]`, `[x]` and `[X]` as the box of a task where GitHub's Markdown does: at the very start of an item's first paragraph, and before white space
/// or the paragraph's end. Markdig's own parser takes them anywhere in an item, also where they are the words of a link.
/// </summary>
internal sealed class TaskBoxParser : TaskListInlineParser
{
    private const int Length = 3;

    /// <inheritdoc/>
    public override bool Match(InlineProcessor processor, ref StringSlice slice)
        => OpensItem(processor) && slice.PeekChar(Length) is ' ' or '\t' or '\r' or '\n' or '\0' && base.Match(processor, ref slice);

    // Nothing of the paragraph was read yet when its root is empty.
    private static bool OpensItem(InlineProcessor processor)
        => processor is { Block: ParagraphBlock { Parent: ListItemBlock item }, Root.FirstChild: null } && item[0] == processor.Block;
}
