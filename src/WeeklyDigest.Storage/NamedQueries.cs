using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace WeeklyDigest.Storage;

/// <summary>The named statements of a folder of .sql files: each begins with a line <c>-- name: X</c> and says there why it is as it is.</summary>
internal sealed partial class NamedQueries
{
    private readonly FrozenDictionary<string, string> byName;

    /// <summary>Reads the files of <c>{folder}/Queries</c> inside this assembly.</summary>
    public NamedQueries(string folder)
        => byName = Embedded.Under(folder + ".Queries.").SelectMany(name => Sections(Embedded.Text(name))).ToFrozenDictionary(section => section.Name, section => section.Sql);

    /// <summary>The names of all statements.</summary>
    public IEnumerable<string> Names => byName.Keys;

    /// <summary>The statement of a name.</summary>
    public string Get(string name)
        => byName.TryGetValue(name, out var sql) ? sql : throw new InvalidOperationException($"There is no query named {name}.");

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
