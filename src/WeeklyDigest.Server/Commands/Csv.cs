using System.Buffers;

namespace WeeklyDigest.Server.Commands;

/// <summary>
/// Writes CSV as RFC 4180 has it: CRLF, quotes where needed, every value exactly as it is. Spreadsheets run a cell that starts with
/// = + - @ as a formula, and names and relays' replies are other people's words: <c>--for-spreadsheet</c> puts an apostrophe before those.
/// It is asked for, not silent, because it changes values: an import would take the apostrophe for part of them.
/// </summary>
/// <param name="target">Where to.</param>
/// <param name="forSpreadsheet">Whether to defuse formulas.</param>
internal sealed class Csv(TextWriter target, bool forSpreadsheet)
{
    private static readonly SearchValues<char> Special = SearchValues.Create(",\"\r\n;\t ");

    /// <summary>Writes a record.</summary>
    public async Task WriteAsync(IEnumerable<string?> values) => await target.WriteAsync(string.Join(',', values.Select(Field)) + "\r\n");

    private string Field(string? value)
    {
        var text = value ?? "";
        if (forSpreadsheet && text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r') text = "'" + text;
        return text.AsSpan().ContainsAny(Special) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
