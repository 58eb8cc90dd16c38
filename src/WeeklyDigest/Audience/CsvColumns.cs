using System.Text;
using System.Text.RegularExpressions;

namespace WeeklyDigest.Audience;

/// <summary>What each column of a list file holds, read from its first row.</summary>
internal sealed partial class CsvColumns
{
    private const int MaxNameLength = 64;

    private CsvColumns(int count, int email, int? name, IReadOnlyList<(int Column, string Name)> attributes)
        => (Count, Email, Name, Attributes) = (count, email, name, attributes);

    /// <summary>How many columns have a name; no column behind them has one.</summary>
    public int Count { get; }

    /// <summary>The column with the address, from 0.</summary>
    public int Email { get; }

    /// <summary>The column with the name, or null.</summary>
    public int? Name { get; }

    /// <summary>The other columns, with their names as attributes: lower case, what a merge slot cannot name replaced by underscores.</summary>
    public IReadOnlyList<(int Column, string Name)> Attributes { get; }

    /// <summary>Reads the header row.</summary>
    /// <exception cref="FormatException">No column with addresses, a column without a name between others, or two of one name.</exception>
    public static CsvColumns Read(CsvRecords header)
    {
        var names = header.Fields.Select(Normalize).ToList();
        while (names.Count > 0 && names[^1].Length == 0) names.RemoveAt(names.Count - 1);
        var email = names.FindIndex(IsEmail);
        if (email < 0) throw NoEmail(header);
        if (names.IndexOf("") is >= 0 and var unnamed) throw new FormatException($"Line {header.Line}: column {unnamed + 1} has no name.");
        if (names.Find(name => name.Length > MaxNameLength) is { } tooLong)
            throw new FormatException($"Line {header.Line}: the column name '{Shown.Of(tooLong)}' is longer than {MaxNameLength} characters.");
        var twice = names.GroupBy(name => IsEmail(name) ? "email" : name).FirstOrDefault(same => same.Count() > 1);
        if (twice is not null) throw new FormatException($"Line {header.Line}: two columns are named '{twice.Key}'.");
        var name = names.IndexOf("name");
        var others = Enumerable.Range(0, names.Count).Where(column => column != email && column != name).Select(column => (column, names[column]));
        return new CsvColumns(names.Count, email, name < 0 ? null : name, [.. others]);
    }

    private static string Normalize(string name) => NotInNames().Replace(NormalForm.Of(name, NormalizationForm.FormC).ToLowerInvariant(), "_").Trim('_');

    private static bool IsEmail(string name) => name is "email" or "e-mail" or "email_address" or "e-mail_address";

    private static FormatException NoEmail(CsvRecords header) => new(
        $"Line {header.Line}: no column is named 'email'; found: {Shown.Of(string.Join(", ", header.Fields))}. "
        + "The first line has to name the columns, separated by commas or semicolons: email,name");

    // What MergeSlot's attributes.COLUMN can name stays.
    [GeneratedRegex(@"[^\w.-]+", RegexOptions.CultureInvariant)]
    private static partial Regex NotInNames();
}
