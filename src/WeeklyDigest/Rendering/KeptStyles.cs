using System.Text.RegularExpressions;
using AngleSharp.Css.Dom;
using AngleSharp.Css.Parser;
using AngleSharp.Dom;

namespace WeeklyDigest.Rendering;

/// <summary>The rules that stay in style elements.</summary>
/// <remarks>
/// Everything here is <c>!important</c>, or a style attribute would win. Dark mode is written twice: as a media query, and for
/// Outlook's apps and web, which answer to the attributes data-ogsc (colours) and data-ogsb (backgrounds) that they put on elements. Those rules
/// have a style element of their own: Gmail throws an element away in which it finds one it does not understand.
/// </remarks>
internal sealed partial class KeptStyles
{
    private readonly List<IElement> elements;
    private readonly List<string> blocks = [];
    private readonly HashSet<string> classes = new(StringComparer.Ordinal);

    /// <summary>Chooses what a document with these elements needs.</summary>
    public KeptStyles(StyleSheet sheet, List<IElement> elements)
    {
        this.elements = elements;
        var always = sheet.Rules.Where(rule => IsDynamic(rule.Selector.Text)).Select(rule => Written(rule, declaration => declaration.Value));
        var narrow = sheet.Media.Where(media => !media.IsDark).Select(media => Under(media.Condition, media.Rules.Select(rule => Written(rule, declaration => declaration.Value))));
        var changed = sheet.Rules.Select((rule, at) => rule with
        {
            Declarations = [.. rule.Declarations.Where(declaration => declaration.Dark != declaration.Value || Overrules(sheet.Rules, at, declaration))],
        });
        var dark = changed.Concat(sheet.Media.Where(media => media.IsDark).SelectMany(media => media.Rules)).Where(rule => rule.Declarations.Count > 0).ToList();
        Add(always.Concat(narrow));
        Add([Under("(prefers-color-scheme:dark)", dark.Select(rule => Written(rule, declaration => declaration.Dark)))]);
        Add(dark.Where(rule => !IsDynamic(rule.Selector.Text)).SelectMany(Outlook));
    }

    /// <summary>The classes the rules name.</summary>
    public IReadOnlySet<string> Classes => classes;

    /// <summary>The text of each style element.</summary>
    public IReadOnlyList<string> Blocks() => blocks;

    /// <summary>Whether a selector depends on what the reader or the mail program does.</summary>
    public static bool IsDynamic(string selector) => Dynamic().IsMatch(selector);

    // A rule that is repeated would else win over a stronger one that is not, since what is repeated wins over attributes.
    private bool Overrules(IReadOnlyList<StyleRule> rules, int at, StyleDeclaration own)
        => rules.Index().Any(other => other.Item.Declarations.Any(declaration => declaration.Dark != declaration.Value && Overlap(declaration.Name, own.Name))
            && (rules[at].Selector.Specificity, at).CompareTo((other.Item.Selector.Specificity, other.Index)) > 0
            && elements.Exists(element => rules[at].Selector.Match(element) && other.Item.Selector.Match(element)));

    // The same property, or a shorthand and a part of it.
    private static bool Overlap(string one, string other)
        => one == other || one.StartsWith(other + "-", StringComparison.Ordinal) || other.StartsWith(one + "-", StringComparison.Ordinal);

    private void Add(IEnumerable<string> rules)
    {
        var css = string.Join('\n', rules.Where(rule => rule.Length > 0));
        if (css.Length > 0) blocks.Add(css);
    }

    private static string Under(string condition, IEnumerable<string> rules)
    {
        var css = string.Join('\n', rules.Where(rule => rule.Length > 0));
        return css.Length == 0 ? "" : $"@media {condition}{{\n{css}\n}}";
    }

    private IEnumerable<string> Outlook(StyleRule rule)
    {
        var colours = rule.Declarations.Where(declaration => declaration.Name == "color").ToList();
        var others = rule.Declarations.Except(colours).ToList();
        if (colours.Count > 0) yield return Written(rule with { Declarations = colours }, declaration => declaration.Dark, "[data-ogsc] ");
        if (others.Count > 0) yield return Written(rule with { Declarations = others }, declaration => declaration.Dark, "[data-ogsb] ");
    }

    private string Written(StyleRule rule, Func<StyleDeclaration, string> value, string prefix = "")
    {
        if (!IsUsed(rule.Selector)) return "";
        foreach (Match name in ClassName().Matches(rule.Selector.Text)) classes.Add(name.Groups[1].Value);
        return $"{prefix}{rule.Selector.Text}{{{string.Join(';', rule.Declarations.Select(declaration => $"{declaration.Name}:{value(declaration)}!important"))}}}";
    }

    private bool IsUsed(ISelector selector)
    {
        if (!IsDynamic(selector.Text)) return elements.Exists(element => selector.Match(element));
        var still = new CssSelectorParser().ParseSelector(Dynamic().Replace(selector.Text, "").Trim());
        return still is null || elements.Exists(element => still.Match(element));
    }

    [GeneratedRegex(@"::?(hover|focus|focus-visible|active|visited|link|before|after|first-letter|first-line)\b|\[data-og\w+\]\s*|^u\s*\+\s*", RegexOptions.CultureInvariant)]
    private static partial Regex Dynamic();

    [GeneratedRegex(@"\.([\w-]+)", RegexOptions.CultureInvariant)]
    private static partial Regex ClassName();
}
