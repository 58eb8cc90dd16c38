using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace WeeklyDigest.Issues;

/// <summary>A file's text and where its lines begin: turns offsets into lines and columns.</summary>
/// <remarks>Lines end with LF, CR LF or CR. A byte order mark is not part of the text.</remarks>
internal sealed class SourceText
{
    private readonly List<int> _lineStarts = [0];

    public SourceText(string text)
    {
        Text = text;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')))
                _lineStarts.Add(i + 1);
        }
    }

    /// <summary>The whole text.</summary>
    public string Text { get; }

    /// <summary>Line and column of an offset, both from 1; an offset outside the text is moved to its nearest end.</summary>
    public (int Line, int Column) PlaceOf(int offset)
    {
        var inside = Math.Clamp(offset, 0, Text.Length);
        // Between CR and LF there is no place.
        if (inside > 0 && inside < Text.Length && Text[inside] == '\n' && Text[inside - 1] == '\r') inside--;
        var found = _lineStarts.BinarySearch(inside);
        var line = found >= 0 ? found : ~found - 1;
        return (line + 1, inside - _lineStarts[line] + 1);
    }

    /// <summary>Decodes UTF-8. Bytes that are not UTF-8 become U+FFFD, so that the rest can still be checked.</summary>
    /// <returns>The text, and the offsets in text and bytes where the first bad byte stands; or null.</returns>
    public static (string Text, (int Offset, int ByteOffset)? Bad) Decode(ReadOnlySpan<byte> bytes)
    {
        var content = bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;
        var characters = new char[content.Length];
        var status = Utf8.ToUtf16(content, characters, out var read, out var written, replaceInvalidSequences: false);
        return status == OperationStatus.Done
            ? (new string(characters, 0, written), null)
            : (Encoding.UTF8.GetString(content), (written, read + bytes.Length - content.Length));
    }
}
