using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace Hangfire.Storage.SQLite.Database;

/// <summary>The named statements of Sql/*.sql: each begins with a line <c>-- name: X</c>; the schema's scripts stand there as well.</summary>
internal static partial class Queries
{
    private static readonly FrozenDictionary<string, string> ByName = typeof(Queries).Assembly.GetManifestResourceNames()
        .Where(file => file.EndsWith(".sql", StringComparison.Ordinal))
        .SelectMany(file => Sections(File(file)))
        .ToFrozenDictionary(section => section.Name, section => section.Sql);

    /// <summary>The names of all statements.</summary>
    public static IEnumerable<string> Names => ByName.Keys;

    /// <summary>The statement of a name.</summary>
    public static string Get(string name)
        => ByName.TryGetValue(name, out var sql) ? sql : throw new InvalidOperationException($"There is no query named {name}.");

    /// <summary>The text of an embedded file.</summary>
    public static string File(string name)
    {
        using var stream = typeof(Queries).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The assembly holds no {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static IEnumerable<(string Name, string Sql)> Sections(string text)
    {
        var heads = Head().Matches(text);
        for (var i = 0; i < heads.Count; i++)
        {
            var start = heads[i].Index + heads[i].Length;
            yield return (heads[i].Groups[1].Value, text[start..(i + 1 < heads.Count ? heads[i + 1].Index : text.Length)].Trim());
        }
    }

    [GeneratedRegex(@"^-- name: (\w+)\r?$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Head();
}
