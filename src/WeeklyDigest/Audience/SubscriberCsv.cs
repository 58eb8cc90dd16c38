namespace WeeklyDigest.Audience;

/// <summary>A row of a list file that was skipped.</summary>
/// <param name="Line">The line, from 1.</param>
/// <param name="Message">What is wrong and what to do; shows at most 100 characters of the row.</param>
public sealed record RowProblem(long Line, string Message);

/// <summary>Reads list files: CSV as subscribers/README.md documents it.</summary>
public static class SubscriberCsv
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxNameLength = 200;

    /// <summary>The longest attribute, in characters.</summary>
    public const int MaxAttributeLength = 500;

    /// <summary>Reads the rows one by one, in bounded memory whatever the file holds.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="onProblem">Told of each row that is skipped.</param>
    /// <exception cref="FormatException">
    /// Thrown while the rows are read. The file as a whole is unusable: empty, no email column, a row without an end, a last line that was cut off, not UTF-8; the
    /// message says where and what to do.
    /// </exception>
    public static IEnumerable<SubscriberRow> Read(Stream stream, Action<RowProblem> onProblem)
    {
        var text = new Utf8Text(stream);
        var records = new CsvRecords(text, Separator(text.Ahead));
        do
        {
            if (!records.Read()) throw new FormatException("The file is empty. Its first line has to name the columns: email,name");
        }
        while (records.IsBlank);
        var columns = CsvColumns.Read(records);
        while (records.Read())
        {
            if (records.IsBlank) continue;
            // A pipe ends only when its writer has ended.
            if (stream.CanSeek && records.IsCut && records.Fields.Count < columns.Count) throw Cut(records, columns);
            if (ReadRow(records, columns, out var problem) is { } row) yield return row;
            else onProblem(new RowProblem(records.Line, problem));
        }
    }

    // Spreadsheets write semicolons where the comma is the decimal sign. The header decides: names of columns hold neither.
    private static char Separator(ReadOnlySpan<char> ahead)
    {
        var header = ahead.TrimStart("\r\n");
        if (header.IndexOfAny('\r', '\n') is >= 0 and var end) header = header[..end];
        var (commas, semicolons, quoted) = (0, 0, false);
        foreach (var character in header)
        {
            if (character == '"') quoted = !quoted;
            else if (character == ',' && !quoted) commas++;
            else if (character == ';' && !quoted) semicolons++;
        }
        return semicolons > commas ? ';' : ',';
    }

    private static SubscriberRow? ReadRow(CsvRecords record, CsvColumns columns, out string problem)
    {
        problem = ProblemOfFields(record, columns) ?? "";
        if (problem.Length > 0) return null;
        if (!EmailAddress.TryParse(record.Fields[columns.Email], out var address, out var reason))
        {
            problem = record.Fields[columns.Email].Length == 0
                ? $"There is no address in this row: {Shown.Of(string.Join(", ", record.Fields))}."
                : $"'{Shown.Of(record.Fields[columns.Email])}' is not an address: {Shown.Of(reason)}.";
            return null;
        }
        var name = columns.Name is { } column && record.Fields[column].Length > 0 ? record.Fields[column] : null;
        var attributes = columns.Attributes
            .Where(attribute => record.Fields[attribute.Column].Length > 0)
            .ToDictionary(attribute => attribute.Name, attribute => record.Fields[attribute.Column]);
        return new SubscriberRow(record.Line, address, name, attributes);
    }

    private static string? ProblemOfFields(CsvRecords record, CsvColumns columns)
    {
        if (record.Problem is { } quotes) return $"In the row of {About(record)}, {quotes}.";
        var fields = record.Fields;
        var filled = fields.FindLastIndex(value => value.Length > 0) + 1;
        if (fields.Count < columns.Count || filled > columns.Count)
        {
            return $"The row of {About(record)} has {Count(fields.Count < columns.Count ? fields.Count : filled)}, the header {columns.Count}. "
                + "Is a separator missing or one too many? A field that holds one has to be quoted.";
        }
        if (columns.Name is { } name && ProblemOf(fields[name], "name", MaxNameLength) is { } ofName) return $"{ofName} in the row of {About(record)}.";
        foreach (var (column, attribute) in columns.Attributes)
        {
            if (ProblemOf(fields[column], attribute, MaxAttributeLength) is { } ofAttribute) return $"{ofAttribute} in the row of {About(record)}.";
        }
        return null;
    }

    // Never kept and never repaired in silence: a line break in a name is the beginning of a forged header field.
    private static string? ProblemOf(string value, string column, int maxLength)
    {
        if (value.Length > maxLength) return $"The {column} is longer than {maxLength} characters";
        return Printable.FirstOther(value) is { } other
            ? $"The {column} holds a line break or another control character (U+{other.Value:X4})"
            : null;
    }

    private static FormatException Cut(CsvRecords last, CsvColumns columns) => new(
        $"Line {last.Line}: the last row has {Count(last.Fields.Count)}, the header {columns.Count}, and its line has no end: the file was cut off, or is still being written. "
        + "Nothing of it was read in; try again when it is whole.");

    private static string Count(int fields) => $"{fields} {(fields == 1 ? "field" : "fields")}";

    private static string About(CsvRecords record) => $"'{Shown.Of(record.Fields.Find(value => value.Contains('@')) ?? record.Fields.Find(value => value.Length > 0) ?? "")}'";
}
