using System.Text;

namespace WeeklyDigest.Smtp;

/// <summary>Encoded words (RFC 2047): UTF-8, at most 75 characters each, no character split, one a line after the first.</summary>
internal static class EncodedWords
{
    private const int MaxWord = 75;
    private const string Start = "=?utf-8?";
    private const string End = "?=";

    /// <summary>Encodes a whole text; white space between two words vanishes in decoding, so all of the text's own is inside.</summary>
    /// <param name="text">The text; lone surrogates become U+FFFD.</param>
    /// <param name="column">Where on its line the first word starts.</param>
    public static string Encode(string text, int column)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        // Q costs three characters for each octet that is not plain, B four for each three octets.
        var useQ = text.Count(c => !IsPlain(c) && c != ' ') * 6 < bytes;
        var output = new StringBuilder();
        var word = new StringBuilder();
        Span<byte> octets = stackalloc byte[4];
        var room = Math.Min(MaxWord, 78 - column) - Start.Length - 2 - End.Length;
        var pending = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var encoded = octets[..rune.EncodeToUtf8(octets)];
            var width = useQ ? QWidth(encoded) : encoded.Length;
            if (pending > 0 && (useQ ? pending + width : Base64Width(pending + width)) > room)
            {
                Flush(output, word, useQ);
                pending = 0;
                room = MaxWord - Start.Length - 2 - End.Length;
            }
            Append(word, encoded, useQ);
            pending += width;
        }
        Flush(output, word, useQ);
        return output.ToString();
    }

    private static int Base64Width(int octets) => (octets + 2) / 3 * 4;

    private static int QWidth(ReadOnlySpan<byte> octets) => octets.Length == 1 && (IsPlain((char)octets[0]) || octets[0] == ' ') ? 1 : octets.Length * 3;

    // The narrow set of section 5 (3): such words may stand in a phrase as well.
    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '!' or '*' or '+' or '-' or '/';

    /// <summary>Q is written as it will stand; for B the word collects octets as Latin-1 characters until it is flushed.</summary>
    private static void Append(StringBuilder word, ReadOnlySpan<byte> octets, bool useQ)
    {
        foreach (var octet in octets)
        {
            if (!useQ || IsPlain((char)octet)) word.Append((char)octet);
            else if (octet == ' ') word.Append('_');
            else word.Append('=').Append(octet.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    private static void Flush(StringBuilder output, StringBuilder word, bool useQ)
    {
        if (output.Length > 0) output.Append("\r\n ");
        var content = useQ ? word.ToString() : Convert.ToBase64String(Encoding.Latin1.GetBytes(word.ToString()));
        output.Append(Start).Append(useQ ? 'Q' : 'B').Append('?').Append(content).Append(End);
        word.Clear();
    }
}
