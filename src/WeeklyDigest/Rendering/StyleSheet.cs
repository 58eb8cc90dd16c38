using AngleSharp;
using AngleSharp.Css;
using AngleSharp.Css.Dom;
using AngleSharp.Css.Parser;

namespace WeeklyDigest.Rendering;

/// <summary>One property of a rule.</summary>
/// <param name="Name">The property.</param>
/// <param name="Value">Its value as the author wrote it, variables resolved.</param>
/// <param name="Dark">Its value in dark mode; the same unless it uses a variable that dark mode changes.</param>
/// <param name="Important">Whether it was marked <c>!important</c>.</param>
internal sealed record StyleDeclaration(string Name, string Value, string Dark, bool Important);

/// <summary>A rule with a single selector: one of a list is a rule of its own, as its specificity is.</summary>
/// <param name="Selector">The selector.</param>
/// <param name="Declarations">Its properties in order.</param>
internal sealed record StyleRule(ISelector Selector, IReadOnlyList<StyleDeclaration> Declarations);

/// <summary>The rules under a condition.</summary>
/// <param name="Condition">The media query.</param>
/// <param name="Rules">The rules in order.</param>
internal sealed record MediaRules(string Condition, IReadOnlyList<StyleRule> Rules)
{
    /// <summary>Whether it is about dark mode.</summary>
    public bool IsDark => Condition.Contains("prefers-color-scheme", StringComparison.OrdinalIgnoreCase) && Condition.Contains("dark", StringComparison.OrdinalIgnoreCase);
}

/// <summary>styles.css, read: plain rules, media rules, and variables put in, because mail programs know none.</summary>
/// <param name="Rules">The rules that hold everywhere, in order.</param>
/// <param name="Media">The rules under conditions, in order.</param>
internal sealed record StyleSheet(IReadOnlyList<StyleRule> Rules, IReadOnlyList<MediaRules> Media)
{
    private static readonly CssParserOptions Options = new() { IsIncludingUnknownDeclarations = true, IsIncludingUnknownRules = true };

    private static readonly CssSelectorParser Selectors = new();

    private static readonly IBrowsingContext Context = BrowsingContext.New(Configuration.Default.WithCss().WithOnly<IDeclarationFactory>(new Verbatim()));

    /// <summary>Reads a style sheet.</summary>
    /// <exception cref="TemplateException">A variable is unknown, or a rule is of a kind that no e-mail can use.</exception>
    public static StyleSheet Parse(TemplateSource source)
    {
        var rules = new CssParser(Options, Context).ParseStyleSheet(source.Text).Rules.ToList();
        var media = rules.OfType<ICssMediaRule>().ToList();
        var light = CssVariables.Of(source, rules);
        var dark = light.With(media.Where(rule => new MediaRules(rule.Media.MediaText, []).IsDark).SelectMany(rule => rule.Rules));
        if (rules.Find(rule => rule is not (ICssStyleRule or ICssMediaRule)) is { } other)
            throw new TemplateException($"{source.Path}: an e-mail can use plain rules and @media only; remove {other.CssText.Split('{', ' ')[0]}.");
        return new StyleSheet(
            Read(rules, light, dark),
            [.. media.Select(rule => new MediaRules(rule.Media.MediaText, Read(rule.Rules, dark: dark, light: new MediaRules(rule.Media.MediaText, []).IsDark ? dark : light)))]);
    }

    private static List<StyleRule> Read(IEnumerable<ICssRule> rules, CssVariables light, CssVariables dark)
        => [.. from rule in rules.OfType<ICssStyleRule>()
               let declarations = rule.Style.Where(property => !CssVariables.IsVariable(property.Name))
                   .Select(property => new StyleDeclaration(property.Name, light.Resolve(property.Value), dark.Resolve(property.Value), property.IsImportant)).ToList()
               where declarations.Count > 0
               from selector in Singles(rule.Selector)
               select new StyleRule(selector, declarations)];

    private static IEnumerable<ISelector> Singles(ISelector selector)
        => CssText.Split(selector.Text, ',').Select(single => Selectors.ParseSelector(single.Trim())).OfType<ISelector>();

    /// <summary>
    /// Leaves values as they are written. AngleSharp.Css would turn every colour into rgba(), which Outlook does not know, and take
    /// shorthands apart.
    /// </summary>
    private sealed class Verbatim : IDeclarationFactory
    {
        private static readonly DeclarationInfo Any = new DefaultDeclarationFactory().Create("x-any");

        public DeclarationInfo Create(string propertyName) => new(propertyName, Any.Converter, PropertyFlags.Unknown);
    }
}
