using System.Text.RegularExpressions;

namespace WeeklyDigest.Storage;

/// <summary>What migrations make: tables, indexes, functions. A statement of theirs begins its line.</summary>
internal static partial class SchemaObjects
{
    /// <summary>What of that a database has lost, such as <c>table delivery</c>.</summary>
    /// <param name="kind">The kind of database, as <see cref="Embedded.Migrations"/> has it.</param>
    /// <param name="applied">The migrations that were applied to it.</param>
    /// <param name="present">The names of all that is in it.</param>
    public static IReadOnlyList<string> Lost(string kind, IReadOnlyList<string> applied, IReadOnlyCollection<string> present)
        => [.. Made(kind, applied).Where(made => !present.Contains(made.Key)).Select(made => $"{made.Value} {made.Key}").Order(StringComparer.Ordinal)];

    /// <summary>What migrations make, by name.</summary>
    public static IReadOnlyDictionary<string, string> Made(string kind, IReadOnlyList<string> applied)
    {
        var made = new Dictionary<string, string>();
        foreach (Match statement in Embedded.Migrations(kind).Where(script => applied.Contains(script.Name)).SelectMany(script => Statement().Matches(script.Text)))
        {
            if (statement.Groups["verb"].Value == "CREATE") made[statement.Groups["name"].Value] = statement.Groups["kind"].Value.ToLowerInvariant();
            else made.Remove(statement.Groups["name"].Value);
        }
        return made;
    }

    /// <summary>What is said of a ledger that a statement found incomplete.</summary>
    /// <param name="place">The ledger, as a sentence begins with it.</param>
    /// <param name="reason">The database's words.</param>
    public static string AreLost(string place, string reason) => $"{place} has lost what belongs to its schema ({reason}). Stop every server and put a backup back: nothing can be sent safely until then.";

    [GeneratedRegex(@"^(?<verb>CREATE|DROP) (UNIQUE )?(?<kind>TABLE|INDEX|FUNCTION|TRIGGER|VIEW) (?<name>\w+)", RegexOptions.Multiline | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Statement();
}
