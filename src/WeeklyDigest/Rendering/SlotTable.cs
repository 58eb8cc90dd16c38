using WeeklyDigest.Merging;

namespace WeeklyDigest.Rendering;

/// <summary>What the slot tokens of one rendering stand for: those of the issue and those of the view.</summary>
/// <param name="issue">The issue's table.</param>
/// <param name="view">The view.</param>
internal sealed class SlotTable(IReadOnlyList<MergePart> issue, TemplateSource view)
{
    /// <summary>The slot, or literal text, with an index.</summary>
    /// <exception cref="TemplateException">There is none: a private use character that is no token of ours.</exception>
    public MergePart this[int index]
    {
        get
        {
            if (index < issue.Count && index < TemplateSource.FirstSlot) return issue[index];
            var own = index - TemplateSource.FirstSlot;
            if (own >= 0 && own < view.Slots.Count) return view.Slots[own];
            throw new TemplateException($"{view.Path}: a merge slot came out that neither the issue nor the template has; an issue may have {TemplateSource.FirstSlot} of them.");
        }
    }
}
