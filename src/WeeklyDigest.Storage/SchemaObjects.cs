using System.Text.RegularExpressions;

namespace WeeklyDigest.Storage;

/// <summary>What a ledger's schema consists of, each by its kind: <c>table delivery</c>, <c>index delivery_held</c>, <c>column delivery.reply</c>.</summary>
internal static partial class SchemaObjects
{
    /// <summary>What of its schema a database has lost; of a table that is gone, the table alone.</summary>
    /// <param name="made">What its migrations made.</param>
    /// <param name="present">All that is in it.</param>
    public static IReadOnlyList<string> Lost(IEnumerable<string> made, IReadOnlyCollection<string> present)
    {
        var lost = made.Except(present).ToHashSet();
        return [.. lost.Where(name => !(Column().Match(name) is { Success: true } column && lost.Contains($"table {column.Groups[1].Value}"))).Order(StringComparer.Ordinal)];
    }

    /// <summary>Refuses a database that has lost something.</summary>
    /// <param name="place">The database, as a sentence begins with it.</param>
    /// <param name="lost">What it has lost.</param>
    /// <exception cref="StorageException">It has.</exception>
    public static void Require(string place, IReadOnlyList<string> lost)
    {
        if (lost.Count > 0) throw new StorageException($"{place} has lost what belongs to its schema: {string.Join(", ", lost)}. Stop every server and put a backup back. Nothing can be sent until then.") { IsLasting = true };
    }

    /// <summary>What migrations make, by their texts: a statement begins its line, and a column of a new table stands in a line of its own. For databases that cannot be made on the spot to look.</summary>
    /// <param name="kind">The kind of database, as <see cref="Embedded.Migrations"/> has it.</param>
    /// <param name="applied">The migrations.</param>
    public static IReadOnlyCollection<string> Made(string kind, IReadOnlyList<string> applied)
    {
        var made = new HashSet<string>();
        var table = "";
        foreach (var line in Embedded.Migrations(kind).Where(script => applied.Contains(script.Name)).SelectMany(script => script.Text.ReplaceLineEndings("\n").Split('\n')))
        {
            var statement = Statement().Match(line);
            var name = statement.Groups["name"].Value;
            if (statement.Success || line.StartsWith(')')) table = statement.Groups["kind"].Value == "TABLE" ? name : "";
            if (statement.Groups["column"] is { Success: true } added) made.Add($"column {name}.{added.Value}");
            else if (statement.Groups["verb"].Value == "DROP") made.Remove($"{statement.Groups["kind"].Value.ToLowerInvariant()} {name}");
            else if (statement.Success) made.Add($"{statement.Groups["kind"].Value.ToLowerInvariant()} {name}");
            else if (table.Length > 0 && NewColumn().Match(line) is { Success: true } column) made.Add($"column {table}.{column.Groups[1].Value}");
        }
        return made;
    }

    /// <summary>What is said of a ledger that a statement found incomplete.</summary>
    /// <param name="place">The ledger, as a sentence begins with it.</param>
    /// <param name="reason">The database's words.</param>
    public static string AreLost(string place, string reason) => $"{place} has lost what belongs to its schema ({reason}). Stop every server and put a backup back.";

    [GeneratedRegex(
        @"^((?<verb>CREATE|DROP) (UNIQUE )?(?<kind>TABLE|INDEX|FUNCTION|TRIGGER|VIEW) (?<name>\w+)|ALTER TABLE (?<name>\w+) ADD COLUMN (?<column>\w+))",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Statement();

    [GeneratedRegex(@"^    ([a-z]\w*) ", RegexOptions.CultureInvariant)]
    private static partial Regex NewColumn();

    [GeneratedRegex(@"^column (\w+)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Column();
}
