using System.Buffers;
using System.Text;

namespace WeeklyDigest.Smtp;

/// <summary>
/// Where a message is spliced together; grows to the largest message and is then reused. One message at a time: its bytes are valid
/// until the next one is composed into the same buffer, or it is released.
/// </summary>
/// <param name="memory">Where its memory comes from, and goes when it is released.</param>
public sealed class MessageBuffer(ArrayPool<byte> memory)
{
    private byte[] _bytes = [];
    private int _length;
    private int _line;

    /// <summary>A buffer with memory of the process.</summary>
    public MessageBuffer()
        : this(ArrayPool<byte>.Shared)
    {
    }

    /// <summary>What has been written.</summary>
    internal ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    /// <summary>The same, to be filled in where room was left.</summary>
    internal Span<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>The longest line so far in octets, its CRLF not counted (RFC 5322 section 2.1.1).</summary>
    internal int LongestLine { get; private set; }

    /// <summary>Empties it for the next message.</summary>
    /// <param name="room">The octets that this one is expected to have.</param>
    internal void Clear(int room)
    {
        _length = _line = LongestLine = 0;
        if (_bytes.Length < room) Grow(room);
    }

    /// <summary>Lets others have the memory: nobody reads the message any more. The next one may be composed all the same.</summary>
    internal void Release()
    {
        memory.Return(_bytes);
        (_bytes, _length) = ([], 0);
    }

    /// <summary>Appends bytes whose lines were measured before.</summary>
    internal void Append(Literal literal)
    {
        literal.Bytes.CopyTo(Reserve(literal.Bytes.Length));
        _length += literal.Bytes.Length;
        LongestLine = Math.Max(LongestLine, Math.Max(_line + literal.FirstLine, literal.LongestInside));
        _line = literal.HasBreak ? literal.LastLine : _line + literal.LastLine;
    }

    /// <summary>Appends a few bytes, measuring their lines.</summary>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Advance(bytes.Length);
    }

    /// <summary>Appends text as UTF-8, measuring its lines.</summary>
    internal void Append(ReadOnlySpan<char> text)
        => Advance(Encoding.UTF8.GetBytes(text, Reserve(Encoding.UTF8.GetMaxByteCount(text.Length))));

    private void Advance(int count)
    {
        var added = _bytes.AsSpan(_length, count);
        for (int end; (end = added.IndexOf((byte)'\n')) >= 0; added = added[(end + 1)..])
        {
            LongestLine = Math.Max(LongestLine, _line + Math.Max(0, end - 1));
            _line = 0;
        }
        _line += added.Length;
        LongestLine = Math.Max(LongestLine, _line);
        _length += count;
    }

    private Span<byte> Reserve(int count)
    {
        if (_bytes.Length - _length < count) Grow(Math.Max(_bytes.Length * 2, _length + count));
        return _bytes.AsSpan(_length);
    }

    private void Grow(int room)
    {
        var larger = memory.Rent(room);
        Written.Span.CopyTo(larger);
        memory.Return(_bytes);
        _bytes = larger;
    }
}

/// <summary>Bytes all messages of a mailing share, with the lengths of their lines (without CRLF), so that splicing need not look at them again.</summary>
internal sealed class Literal
{
    /// <summary>Measures the bytes; line ends in them are CRLF.</summary>
    public Literal(byte[] bytes)
    {
        Bytes = bytes;
        var rest = bytes.AsSpan();
        for (int end; (end = rest.IndexOf("\r\n"u8)) >= 0; rest = rest[(end + 2)..])
        {
            if (!HasBreak) FirstLine = end;
            else LongestInside = Math.Max(LongestInside, end);
            HasBreak = true;
        }
        LastLine = rest.Length;
        if (!HasBreak) FirstLine = LastLine;
        else LongestInside = Math.Max(LongestInside, LastLine);
    }

    public byte[] Bytes { get; }

    public bool HasBreak { get; }

    /// <summary>Up to the first line break, or everything.</summary>
    public int FirstLine { get; }

    /// <summary>After the last line break, or everything.</summary>
    public int LastLine { get; }

    /// <summary>The longest line that begins in these bytes.</summary>
    public int LongestInside { get; }
}
