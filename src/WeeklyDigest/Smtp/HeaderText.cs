using System.Buffers;
using System.Text;
using WeeklyDigest.Audience;

namespace WeeklyDigest.Smtp;

/// <summary>
/// Header fields as bytes on the wire (RFC 5322 section 2.2): folded at 78 columns, anything beyond plain ASCII as encoded words
/// (RFC 2047). Control characters of a value, line breaks among them, become spaces: no value can end its field.
/// </summary>
internal static class HeaderText
{
    private const int MaxLine = 78;

    private static readonly SearchValues<char> EndsBrackets = SearchValues.Create("<>\r\n\0 ");

    /// <summary>A field of free text, such as Subject, with its CRLF.</summary>
    public static string Unstructured(string field, string value)
    {
        var text = WithoutControls(value);
        // An encoded word has to hold something (RFC 2047 section 2); a field of free text need not.
        if (string.IsNullOrWhiteSpace(text)) return field + ": \r\n";
        return StaysReadable(text)
            ? Fold(field + ": ", text)
            : field + ": " + EncodedWords.Encode(text, field.Length + 2) + "\r\n";
    }

    /// <summary>A field that programs read, with its CRLF: one line of visible ASCII, never encoded words; anything else is percent-encoded.</summary>
    public static string Token(string field, string value)
        => $"{field}: {string.Concat(value.EnumerateRunes().Select(rune => rune.Value is > ' ' and <= '~' ? rune.ToString() : Uri.EscapeDataString(rune.ToString())))}\r\n";

    /// <summary>A field that holds one mailbox (RFC 5322 section 3.4), with its CRLF.</summary>
    /// <param name="field">The field's name.</param>
    /// <param name="mailbox">The mailbox; its address is written raw in UTF-8 when its local part is not ASCII (RFC 6532).</param>
    public static string MailboxField(string field, Mailbox mailbox)
        => Phrased(field, mailbox.Name, mailbox.Address.WireValue);

    /// <summary>A field that holds a phrase and something in angle brackets: a mailbox, or a List-ID (RFC 2919).</summary>
    /// <exception cref="ArgumentException">What belongs in the brackets could end them or the field: a mistake of the program.</exception>
    public static string Phrased(string field, string? name, string bracketed)
    {
        if (bracketed.AsSpan().ContainsAny(EndsBrackets)) throw new ArgumentException($"'{field}' cannot carry this between angle brackets.", nameof(bracketed));
        var phrase = WithoutControls(name ?? "").Trim();
        if (phrase.Length == 0) return field == "List-ID" ? $"{field}: <{bracketed}>\r\n" : $"{field}: {bracketed}\r\n";
        var start = field + ": ";
        var written = start + Phrase(phrase, start.Length);
        var column = written.Length - (written.LastIndexOf('\n') + 1);
        var separator = column + bracketed.Length + 3 > MaxLine ? "\r\n <" : " <";
        return written + separator + bracketed + ">\r\n";
    }

    /// <summary>The text with every control character and separator of lines replaced by a space.</summary>
    public static string WithoutControls(string text)
    {
        var at = text.AsSpan().IndexOfFirstControl();
        return at < 0 ? text : string.Create(text.Length, text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = IsControl(source[i]) ? ' ' : source[i];
        });
    }

    /// <summary>A quoted string (RFC 5322 section 3.2.4).</summary>
    private static string Quote(string text)
        => '"' + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + '"';

    /// <summary>Whether a character may stand in an atom (RFC 5322 section 3.2.3).</summary>
    private static bool IsAtom(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=?^_`{|}~".Contains(c, StringComparison.Ordinal);

    private static int IndexOfFirstControl(this ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
            if (IsControl(text[i])) return i;
        return -1;
    }

    private static bool IsControl(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';

    private static string Phrase(string name, int column)
    {
        var quoted = Quote(name);
        if (!StaysReadable(name) || quoted.Length > 60) return EncodedWords.Encode(name, column);
        return name.All(c => c == ' ' || IsAtom(c)) ? name : quoted;
    }

    /// <summary>Whether a text survives as it stands: ASCII, no white space that folding or trimming would change, nothing like an encoded word.</summary>
    private static bool StaysReadable(string text)
    {
        var word = 0;
        foreach (var c in text)
        {
            if (c is < ' ' or > '~') return false;
            if (c == ' ' && word == 0) return false;
            word = c == ' ' ? 0 : word + 1;
            if (word > 60) return false;
        }
        return word > 0 && !text.Contains("=?", StringComparison.Ordinal);
    }

    private static string Fold(string start, string text)
    {
        var output = new StringBuilder(start);
        var column = start.Length;
        foreach (var word in text.Split(' '))
        {
            if (column > start.Length && column + 1 + word.Length > MaxLine)
            {
                output.Append("\r\n");
                column = 0;
            }
            if (output.Length > start.Length) output.Append(' ');
            output.Append(word);
            column += word.Length + 1;
        }
        return output.Append("\r\n").ToString();
    }
}
