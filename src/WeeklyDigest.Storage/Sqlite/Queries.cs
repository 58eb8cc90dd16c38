using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace WeeklyDigest.Storage.Sqlite;

/// <summary>The named statements of Sqlite/Queries/*.sql: each begins with a line <c>-- name: X</c> and says there why it is as it is.</summary>
internal static partial class Queries
{
    private const string Prefix = "WeeklyDigest.Storage.Sqlite.Queries.";

    private static readonly FrozenDictionary<string, string> ByName = typeof(Queries).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        .SelectMany(name => Sections(Embedded.Text(name)))
        .ToFrozenDictionary(section => section.Name, section => section.Sql);

    /// <summary>The names of all statements.</summary>
    public static IEnumerable<string> Names => ByName.Keys;

    /// <summary>The statement of a name.</summary>
    public static string Get(string name)
        => ByName.TryGetValue(name, out var sql) ? sql : throw new InvalidOperationException($"There is no query named {name}.");

    private static IEnumerable<(string Name, string Sql)> Sections(string text)
    {
        var heads = Head().Matches(text);
        for (var i = 0; i < heads.Count; i++)
        {
            var start = heads[i].Index + heads[i].Length;
            var end = i + 1 < heads.Count ? heads[i + 1].Index : text.Length;
            yield return (heads[i].Groups[1].Value, text[start..end].Trim());
        }
    }

    [GeneratedRegex(@"^-- name: (\w+)\r?$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Head();
}
