using System.Text;

namespace WeeklyDigest.Audience;

/// <summary>Splits CSV (RFC 4180) into records, with the line each begins on.</summary>
/// <remarks>
/// Our own, because memory has to stay bounded whatever the file holds: a line of a gigabyte, or a quotation mark that nobody closed
/// and that makes the rest of the file one field, ends at <see cref="MaxLength"/>. Libraries bound the field but not the record.
/// </remarks>
/// <param name="text">The characters.</param>
/// <param name="separator">What separates fields.</param>
internal sealed class CsvRecords(Utf8Text text, char separator)
{
    /// <summary>The longest record, in characters.</summary>
    public const int MaxLength = 100_000;

    private readonly StringBuilder field = new();
    private int length;

    /// <summary>The fields of the current record, without surrounding white space.</summary>
    public List<string> Fields { get; } = [];

    /// <summary>The line the current record begins on.</summary>
    public long Line { get; private set; }

    /// <summary>What is wrong with the current record's quotation marks, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether the file ended before the current record's line did.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Whether every field of the current record is empty.</summary>
    public bool IsBlank => Fields.TrueForAll(value => value.Length == 0);

    /// <summary>Goes to the next record.</summary>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="FormatException">A record is too long, or a quotation mark is not closed, or the file is not UTF-8; says on which line.</exception>
    public bool Read()
    {
        Fields.Clear();
        (Line, Problem, IsCut, length) = (text.Line, null, false, 0);
        if (text.Peek() < 0) return false;
        do ReadField();
        while (EndOfField());
        return true;
    }

    private void ReadField()
    {
        field.Clear();
        while (text.Peek() is ' ' or '\t') Take();
        if (text.Peek() == '"') ReadQuoted();
        else ReadPlain();
        Fields.Add(field.ToString().Trim());
    }

    private void ReadPlain()
    {
        while (!AtEndOfField()) field.Append(Take());
    }

    private void ReadQuoted()
    {
        var opened = text.Line;
        Take();
        while (true)
        {
            if (text.Peek() < 0) throw new FormatException($"Line {opened}: the quotation mark that opens here is never closed.");
            var character = Take();
            if (character != '"') field.Append(character);
            else if (text.Peek() == '"') field.Append(Take());
            else break;
        }
        while (text.Peek() is ' ' or '\t') Take();
        while (!AtEndOfField())
        {
            Problem = "text stands behind a closing quotation mark; inside a quoted field write \"\" for a quotation mark";
            Take();
        }
    }

    private bool AtEndOfField() => text.Peek() is var character && (character == separator || character is '\r' or '\n' or < 0);

    // Takes what ended the field; true when another field follows.
    private bool EndOfField()
    {
        IsCut = text.Peek() < 0;
        if (IsCut) return false;
        var character = Take();
        if (character == separator) return true;
        if (character == '\r' && text.Peek() == '\n') Take();
        return false;
    }

    private char Take()
    {
        if (++length > MaxLength)
            throw new FormatException($"Line {Line}: the row that begins here is longer than {MaxLength:N0} characters. Is a quotation mark or a line break missing?");
        return (char)text.Read();
    }
}
