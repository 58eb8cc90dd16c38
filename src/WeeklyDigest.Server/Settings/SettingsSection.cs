using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace WeeklyDigest.Server.Settings;

/// <summary>
/// Reads a section key by key. A value that cannot be used becomes a problem in the report, and the fallback takes its place so that
/// reading goes on and finds the other problems. Keys that nobody asked for are problems as well, see <see cref="Finish"/>.
/// </summary>
/// <param name="source">The section.</param>
/// <param name="report">Where problems and values are noted.</param>
internal sealed partial class SettingsSection(IConfigurationSection source, SettingsReport report)
{
    /// <summary>Nobody means less, and the time between two messages would soon be longer than can be told.</summary>
    private const double LeastRate = 0.0001;

    private readonly List<string> known = [];

    /// <summary>The section's full name.</summary>
    public string Path => source.Path;

    /// <summary>Notes a problem of one of this section's keys.</summary>
    public void Problem(string key, string message) => report.Problem($"{Path}:{key}", message);

    /// <summary>Text, trimmed; the fallback when it is absent.</summary>
    public string Text(string key, string fallback = "", bool secret = false)
    {
        var value = Raw(key)?.Trim() ?? fallback;
        if (value.Contains('\0', StringComparison.Ordinal))
        {
            Problem(key, "holds a NUL character; remove it.");
            value = fallback;
        }
        report.Value($"{Path}:{key}", value, secret);
        return value;
    }

    /// <summary>A whole number within a range.</summary>
    public int Number(string key, int fallback, int min, int max)
        => Read(key, fallback, $"a whole number from {min} to {max}", text
            => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number : null);

    /// <summary>A number with a decimal point within a range.</summary>
    public double Factor(string key, double fallback, double min, double max)
        => Read(key, fallback, string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}"), text
            => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number : null);

    /// <summary>A limit of a rate; 0, which is the default, for none.</summary>
    public double Rate(string key, double max)
        => Read(key, 0.0, string.Create(CultureInfo.InvariantCulture, $"a number from {LeastRate} to {max}, or 0 for no limit"), text
            => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) && (rate == 0 || (rate >= LeastRate && rate <= max)) ? rate : null);

    /// <summary>A time span within a range, as <c>[days.]hours:minutes:seconds</c>.</summary>
    public TimeSpan Duration(string key, TimeSpan fallback, TimeSpan min, TimeSpan max)
        => Read(key, fallback, $"a time span from {min} to {max} as [days.]hours:minutes:seconds", text
            => ParseDuration(text) is { } span && span >= min && span <= max ? span : null);

    /// <summary>One of an enumeration's names, in lower case.</summary>
    public T Choice<T>(string key, T fallback) where T : struct, Enum
        => Read(key, fallback, $"one of {string.Join(", ", Names<T>())}", text
            => Names<T>().Contains(text, StringComparer.OrdinalIgnoreCase) ? Enum.Parse<T>(text, ignoreCase: true) : null);

    /// <summary>true or false.</summary>
    public bool Flag(string key, bool fallback)
        => Read(key, fallback, "true or false", text => bool.TryParse(text, out var flag) ? flag : null);

    /// <summary>A section within this one.</summary>
    public SettingsSection Section(string key)
    {
        known.Add(key);
        var child = source.GetSection(key);
        if (!string.IsNullOrEmpty(child.Value)) Problem(key, "is a section of settings, not a single value; see appsettings.json for its keys.");
        return new SettingsSection(child, report);
    }

    /// <summary>The sections of an array.</summary>
    public IReadOnlyList<SettingsSection> Items(string key)
    {
        known.Add(key);
        var array = source.GetSection(key);
        if (!string.IsNullOrEmpty(array.Value)) Problem(key, "is a list in square brackets, not a single value; see appsettings.json for an example.");
        var items = array.GetChildren().Select(child => new SettingsSection(child, report)).ToList();
        if (items.Count == 0) report.Value(array.Path, Array.Empty<string>(), secret: false);
        return items;
    }

    /// <summary>The texts of an array, trimmed.</summary>
    public IReadOnlyList<string> Texts(string key)
    {
        known.Add(key);
        var values = source.GetSection(key).GetChildren().Select(child => (child.Path, Value: child.Value?.Trim() ?? "")).ToList();
        if (values.Count == 0) report.Value($"{Path}:{key}", Array.Empty<string>(), secret: false);
        foreach (var (path, value) in values) report.Value(path, value, secret: false);
        return [.. values.Select(item => item.Value)];
    }

    /// <summary>Notes every key of the section that was not asked for.</summary>
    public void Finish()
    {
        foreach (var child in source.GetChildren().Where(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
        {
            var nearest = Spelling.Nearest(child.Key, known);
            Problem(child.Key, nearest is null
                ? $"is not a setting; remove it. Known here: {string.Join(", ", known)}."
                : $"is not a setting; did you mean {Path}:{nearest}?");
        }
    }

    private T Read<T>(string key, T fallback, string what, Func<string, T?> parse) where T : struct
    {
        var text = Raw(key)?.Trim();
        var value = string.IsNullOrEmpty(text) ? fallback : parse(text);
        if (value is null) Problem(key, $"'{Shorten(text!)}' is not {what}; the default is {JsonSerializer.Serialize(Show(fallback)).Trim('"')}.");
        report.Value($"{Path}:{key}", Show(value ?? fallback), secret: false);
        return value ?? fallback;
    }

    /// <summary>The value as written, or null; neither trimmed nor reported.</summary>
    public string? Raw(string key)
    {
        known.Add(key);
        var child = source.GetSection(key);
        if (child.GetChildren().Any()) Problem(key, "is a single value, not a section or a list; see appsettings.json for an example.");
        return child.Value;
    }

    // TimeSpan.Parse takes "5" for five days and "24:00:00" for 24 days; neither is what anybody means.
    private static TimeSpan? ParseDuration(string text)
        => DurationPattern().IsMatch(text) && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var span) ? span : null;

    private static object Show<T>(T value) => value switch
    {
        int number => (long)number,
        double number => number,
        bool flag => flag,
        Enum name => name.ToString().ToLowerInvariant(),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };

    private static IEnumerable<string> Names<T>() where T : struct, Enum => Enum.GetNames<T>().Select(name => name.ToLowerInvariant());

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100] + "…";

    [GeneratedRegex(@"^(\d+\.)?([01]?\d|2[0-3]):[0-5]\d:[0-5]\d$", RegexOptions.CultureInvariant)]
    private static partial Regex DurationPattern();
}
