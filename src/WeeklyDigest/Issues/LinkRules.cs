using System.Text.RegularExpressions;
using Markdig.Extensions.Footnotes;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using WeeklyDigest.Merging;

namespace WeeklyDigest.Issues;

/// <summary>Looks at every link and image: an e-mail has no address of its own, so each has to name its whole target, and a safe one.</summary>
internal sealed partial class LinkRules(IReadOnlyList<MergePart> slots, IReadOnlySet<string> anchors, FindingList findings)
{
    /// <summary>Checks the links and images of a document.</summary>
    public void Check(MarkdownDocument document)
    {
        foreach (var inline in document.Descendants<Inline>())
        {
            if (inline is LinkInline { IsImage: true } image) CheckImage(image);
            else if (inline is LinkInline link) CheckLink(link);
            else if (inline is AutolinkInline { IsEmail: false } auto) CheckTarget(auto.Url, auto.Span.Start);
        }
        foreach (var block in document.Descendants<LeafBlock>()) CheckReferences(block);
        foreach (var note in document.Descendants<FootnoteLinkReferenceDefinition>()) CheckUse(note);
    }

    private void CheckLink(LinkInline link)
    {
        var isShown = link.Descendants<LinkInline>().Any(inner => inner.IsImage) || PlainText.Of(link).Length > 0;
        if (!isShown) findings.Warning("link-text-missing", link.Span.Start, "This link has no text, so nobody can see it: write [text](address).");
        CheckTarget(link.Url ?? "", link.Span.Start);
    }

    private void CheckImage(LinkInline image)
    {
        if (PlainText.Of(image).Length == 0)
            findings.Warning("image-alt-missing", image.Span.Start, "This image has no alternative text: write ![what it shows](address), for readers who see no images.");
        var url = image.Url ?? "";
        if (url.Trim().Length == 0) findings.Error("image-target-missing", image.Span.Start, "This image has no address.");
        else if (!IsWeb(url)) findings.Error("image-unsafe", image.Span.Start, $"An image needs a whole address with https://, and {Quoted.Text(url)} is none.");
        else CheckWebAddress(url, image.Span.Start);
    }

    private void CheckTarget(string url, int offset)
    {
        if (url.Trim().Length == 0) findings.Error("link-target-missing", offset, "This link has no address: write [text](https://…).");
        else if (SlotAtStart(url) is { } slot) CheckSlotTarget(slot, offset);
        else if (url.StartsWith('#')) CheckAnchor(url[1..], offset);
        else if (IsWeb(url)) CheckWebAddress(url, offset);
        else if (!OtherScheme().IsMatch(url)) ReportBad(url, offset);
    }

    private void CheckAnchor(string anchor, int offset)
    {
        if (!anchors.Contains(anchor))
            findings.Warning("link-anchor-unknown", offset, $"No entry of this issue has the anchor {Quoted.Text(anchor)}. Known: {string.Join(", ", anchors.Take(20))}.");
    }

    private void CheckSlotTarget(MergePart slot, int offset)
    {
        if (slot.Slot?.Field != MergeField.UnsubscribeUrl)
            findings.Error("slot-not-allowed", offset, "An address cannot begin with this merge slot: only {{ unsubscribe_url }} is a whole address.");
    }

    private void CheckWebAddress(string url, int offset)
    {
        var hostEnd = url.AsSpan(url.IndexOf("//", StringComparison.Ordinal) + 2).IndexOfAny('/', '?', '#');
        var host = hostEnd < 0 ? url : url[..(url.IndexOf("//", StringComparison.Ordinal) + 2 + hostEnd)];
        if (SlotTokens.Find(host).Any())
            findings.Error("slot-not-allowed", offset, "A merge slot may stand in an address only after the host: https://example.com/{{ name }}.");
        else if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            findings.Error("link-malformed", offset, $"{Quoted.Text(url)} is not an address that can be opened.");
        else if (uri.UserInfo.Length > 0)
            findings.Warning("link-user", offset, $"{Quoted.Text(url)} leads to {uri.Host}; what stands before the @ hides that, and spam filters mind.");
    }

    private void ReportBad(string url, int offset)
    {
        if (AnyScheme().IsMatch(Invisible().Replace(url, "")))
            findings.Error("link-unsafe", offset, $"{Quoted.Text(url)} cannot be sent: addresses begin with https://, http://, mailto: or tel:.");
        else
            findings.Error("link-relative", offset, $"{Quoted.Text(url)} leads nowhere from an e-mail: write the whole address, with https://.");
    }

    // [text][name] and [^1] without a definition stay literal text in Markdown; the author meant something else.
    private void CheckReferences(LeafBlock block)
    {
        if (block.Inline is null) return;
        foreach (var (match, offset) in UnresolvedReference.In(block))
        {
            if (match.StartsWith("[^", StringComparison.Ordinal))
                findings.Warning("footnote-missing", offset, $"There is no footnote {Quoted.Text(match)}: add a line {match}: with its text, or write \\[.");
            else
                findings.Warning("link-reference-missing", offset, $"{Quoted.Text(match)} is sent as text, since no line [name]: https://… defines its target.");
        }
    }

    // Markdown leaves out what nothing refers to.
    private void CheckUse(FootnoteLinkReferenceDefinition note)
    {
        if (note.Footnote.Links.Count == 0)
            findings.Warning("footnote-unused", note.Span.Start, $"Nothing refers to this footnote, so it is not sent: write [{note.Label}] where it belongs, or remove it.");
    }

    private MergePart? SlotAtStart(string url)
        => SlotTokens.Find(url).FirstOrDefault((-1, 0, 0)) is (0, _, var index) && index < slots.Count ? slots[index] : null;

    private static bool IsWeb(string url)
        => url.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex("^(?:mailto|tel):", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex OtherScheme();

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9+.-]*:", RegexOptions.CultureInvariant)]
    private static partial Regex AnyScheme();

    [GeneratedRegex(@"[\s\p{C}]", RegexOptions.CultureInvariant)]
    private static partial Regex Invisible();
}
