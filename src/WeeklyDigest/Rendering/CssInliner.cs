using AngleSharp.Css.Dom;
using AngleSharp.Dom;

namespace WeeklyDigest.Rendering;

/// <summary>
/// Writes the rules of a style sheet into style attributes, because some mail programs drop style elements; what an attribute cannot
/// say (media queries, dark mode, hovering) stays in style elements, as far as the document uses it.
/// </summary>
/// <param name="sheet">The style sheet.</param>
internal sealed class CssInliner(StyleSheet sheet)
{
    /// <summary>Inlines into a document. Classes that no remaining rule needs are removed.</summary>
    public void Inline(IDocument document)
    {
        var elements = document.All.ToList();
        var styled = sheet.Rules.Where(rule => !KeptStyles.IsDynamic(rule.Selector.Text)).OrderBy(rule => rule.Selector.Specificity).ToList();
        foreach (var element in elements) InlineInto(element, styled);
        var kept = new KeptStyles(sheet, elements);
        foreach (var css in kept.Blocks()) AddStyle(document, css);
        foreach (var element in elements) KeepClasses(element, kept.Classes);
    }

    private static void InlineInto(IElement element, List<StyleRule> rules)
    {
        var matching = rules.Where(rule => rule.Selector.Match(element)).SelectMany(rule => rule.Declarations).ToList();
        if (matching.Count == 0) return;
        var own = Own(element).ToList();
        // CSS Cascade 4 section 6.1: normal rules, the style attribute, important rules, important in the attribute.
        var cascade = matching.Where(declaration => !declaration.Important)
            .Concat(own.Where(declaration => !declaration.Important))
            .Concat(matching.Where(declaration => declaration.Important))
            .Concat(own.Where(declaration => declaration.Important));
        element.SetAttribute("style", Text(cascade));
    }

    // Quotes that need no escaping in the attribute. The last of a name wins, and stands where it was said last: a shorthand after its parts resets them.
    private static string Text(IEnumerable<StyleDeclaration> cascade)
    {
        var winners = cascade.Reverse().DistinctBy(declaration => declaration.Name).Reverse();
        return string.Join(';', winners.Select(declaration => $"{declaration.Name}:{Quoted(declaration.Value)}"));
    }

    private static string Quoted(string value)
    {
        var terse = value.Replace(", ", ",", StringComparison.Ordinal);
        return terse.Contains('\'') ? terse : terse.Replace('"', '\'');
    }

    private static IEnumerable<StyleDeclaration> Own(IElement element)
    {
        foreach (var part in CssText.Declarations(element.GetAttribute("style") ?? ""))
        {
            var colon = part.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0) continue;
            var value = part[(colon + 1)..].Trim();
            var important = value.EndsWith("!important", StringComparison.OrdinalIgnoreCase);
            if (important) value = value[..^"!important".Length].TrimEnd();
            yield return new StyleDeclaration(part[..colon].Trim().ToLowerInvariant(), value, value, important);
        }
    }

    private static void AddStyle(IDocument document, string css)
    {
        var style = document.CreateElement("style");
        style.TextContent = css;
        document.Head!.Append(style);
    }

    private static void KeepClasses(IElement element, IReadOnlySet<string> used)
    {
        if (!element.HasAttribute("class")) return;
        var kept = element.ClassList.Where(used.Contains).ToList();
        if (kept.Count == 0) element.RemoveAttribute("class");
        else element.SetAttribute("class", string.Join(' ', kept));
    }
}
