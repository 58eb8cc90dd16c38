using System.Text.RegularExpressions;
using AngleSharp.Css.Dom;

namespace WeeklyDigest.Rendering;

/// <summary>The custom properties of a style sheet's <c>:root</c>, put into values: few mail programs know <c>var()</c>.</summary>
internal sealed partial class CssVariables
{
    private const int MaxDepth = 8;
    private readonly TemplateSource source;
    private readonly Dictionary<string, string> values;

    private CssVariables(TemplateSource source, Dictionary<string, string> values)
    {
        this.source = source;
        this.values = values;
    }

    /// <summary>The variables that the <c>:root</c> rules among these set.</summary>
    public static CssVariables Of(TemplateSource source, IEnumerable<ICssRule> rules) => new CssVariables(source, []).With(rules);

    /// <summary>These, and over them what the <c>:root</c> rules among those set.</summary>
    public CssVariables With(IEnumerable<ICssRule> rules)
    {
        var all = new Dictionary<string, string>(values);
        foreach (var property in rules.OfType<ICssStyleRule>().Where(rule => rule.SelectorText == ":root").SelectMany(rule => rule.Style))
            if (IsVariable(property.Name)) all[property.Name] = property.Value;
        return new CssVariables(source, all);
    }

    /// <summary>Whether a property is a variable.</summary>
    public static bool IsVariable(string name) => name.StartsWith("--", StringComparison.Ordinal);

    /// <summary>A value without variables.</summary>
    /// <exception cref="TemplateException">A variable is not set, or is made of itself.</exception>
    public string Resolve(string value, int depth = 0) => Use().Replace(value, use =>
    {
        var name = use.Groups[1].Value;
        if (depth < MaxDepth && values.TryGetValue(name, out var found)) return Resolve(found, depth + 1);
        var (line, column) = TemplateSource.PlaceOf(source.Text, Math.Max(0, source.Text.IndexOf($"var({name}", StringComparison.Ordinal)));
        throw TemplateException.At(source.Path, line, column, $"The variable {name} is not set, or is made of itself; set it in :root.");
    });

    [GeneratedRegex(@"var\(\s*(--[\w-]+)\s*\)", RegexOptions.CultureInvariant)]
    private static partial Regex Use();
}
