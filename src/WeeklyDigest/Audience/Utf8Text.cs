using System.Buffers;
using System.Text.Unicode;

namespace WeeklyDigest.Audience;

/// <summary>The characters of a UTF-8 file one by one, with the line they stand on; what is not UTF-8 is an error at its line.</summary>
/// <param name="stream">The file; a byte order mark at its beginning is skipped.</param>
internal sealed class Utf8Text(Stream stream)
{
    private const int BufferSize = 64 * 1024;

    private readonly byte[] bytes = new byte[BufferSize];
    private readonly char[] chars = new char[BufferSize];
    private int byteCount;
    private int next;
    private int end;
    private bool begun;
    private bool ended;
    private bool afterReturn;

    /// <summary>The line of the next character, from 1; CR, LF and CRLF each end a line.</summary>
    public long Line { get; private set; } = 1;

    /// <summary>The characters that are in memory already, up to 65,536; empty at the end of the file.</summary>
    /// <exception cref="FormatException">The next bytes are not UTF-8.</exception>
    public ReadOnlySpan<char> Ahead => next < end || Fill() ? chars.AsSpan(next, end - next) : [];

    /// <summary>The next character, or -1 at the end of the file.</summary>
    /// <exception cref="FormatException">The next bytes are not UTF-8.</exception>
    public int Peek() => next < end || Fill() ? chars[next] : -1;

    /// <summary>Takes the next character, or -1 at the end of the file.</summary>
    /// <exception cref="FormatException">The next bytes are not UTF-8.</exception>
    public int Read()
    {
        if (next == end && !Fill()) return -1;
        var character = chars[next++];
        if (character == '\r' || (character == '\n' && !afterReturn)) Line++;
        afterReturn = character == '\r';
        return character;
    }

    private bool Fill()
    {
        (next, end) = (0, 0);
        if (!ended)
        {
            var read = stream.ReadAtLeast(bytes.AsSpan(byteCount), BufferSize - byteCount, throwOnEndOfStream: false);
            byteCount += read;
            ended = byteCount < BufferSize;
        }
        if (!begun) Begin();
        if (byteCount == 0) return false;
        var status = Utf8.ToUtf16(bytes.AsSpan(0, byteCount), chars, out var used, out end, replaceInvalidSequences: false, isFinalBlock: ended);
        // What stands before the fault is handed out first; so the fault is met on its own line.
        if (status == OperationStatus.InvalidData && end == 0)
            throw new FormatException($"Line {Line} is not UTF-8 text. Save the file as CSV in UTF-8.");
        bytes.AsSpan(used, byteCount - used).CopyTo(bytes);
        byteCount -= used;
        return end > 0;
    }

    private void Begin()
    {
        begun = true;
        var start = bytes.AsSpan(0, byteCount);
        if (start.StartsWith<byte>([0xFF, 0xFE]) || start.StartsWith<byte>([0xFE, 0xFF]))
            throw new FormatException("Line 1: the file is UTF-16. Save it as CSV in UTF-8.");
        if (!start.StartsWith<byte>([0xEF, 0xBB, 0xBF])) return;
        byteCount -= 3;
        start[3..].CopyTo(bytes);
    }
}
