using System.Buffers;
using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;

namespace WeeklyDigest.Benchmarks.Sinks;

/// <summary>One connection of the sink. Understands what a sender that behaves says, and answers yes.</summary>
internal sealed class SinkConversation(Socket socket, bool plain, int delay)
{
    private static readonly byte[] End = "\r\n.\r\n"u8.ToArray();
    private readonly byte[] buffer = new byte[256 * 1024];
    private readonly List<ulong> recipients = [];
    private readonly ArrayBufferWriter<byte> replies = new();
    private int start;
    private int end;

    /// <summary>A fingerprint of each.</summary>
    public IReadOnlyList<ulong> Recipients => recipients;

    public long Messages { get; private set; }

    public long Octets { get; private set; }

    public void Run()
    {
        socket.NoDelay = true;
        Reply("220 sink ESMTP\r\n"u8);
        try
        {
            while (TryReadLine(out var line) && Obey(line))
            {
            }
            Flush();
        }
        catch (SocketException)
        {
            // The sender is gone; what it sent is counted.
        }
        socket.Dispose();
    }

    private bool Obey(ReadOnlySpan<byte> line)
    {
        if (Is(line, "EHLO"u8))
        {
            Reply(plain ? "250-sink\r\n250 8BITMIME\r\n"u8 : "250-sink\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n"u8);
            return true;
        }
        if (Is(line, "QUIT"u8))
        {
            Reply("221 2.0.0 Bye\r\n"u8);
            return false;
        }
        if (Is(line, "RCPT"u8)) recipients.Add(Fingerprint(line[(line.IndexOf((byte)'<') + 1)..line.LastIndexOf((byte)'>')]));
        if (Is(line, "DATA"u8)) Reply("354 End data with <CR><LF>.<CR><LF>\r\n"u8);
        if ((Is(line, "DATA"u8) && !SkipData()) || (Is(line, "BDAT"u8) && !SkipChunk(line[5..]))) return false;
        Reply("250 2.0.0 Ok\r\n"u8);
        return true;
    }

    private static bool Is(ReadOnlySpan<byte> line, ReadOnlySpan<byte> verb) => line.Length >= verb.Length && Ascii.EqualsIgnoreCase(line[..verb.Length], verb);

    // FNV-1a in 64 bits: of a million addresses two are alike once in thirty million times.
    private static ulong Fingerprint(ReadOnlySpan<byte> address)
    {
        var hash = 14695981039346656037;
        foreach (var octet in address) hash = (hash ^ octet) * 1099511628211;
        return hash;
    }

    // The line break of the command counts: a message may be empty.
    private bool SkipData()
    {
        start -= 2;
        int at;
        while ((at = buffer.AsSpan(start, end - start).IndexOf(End)) < 0)
        {
            var keep = Math.Min(end - start, End.Length - 1);
            Octets += end - start - keep;
            start = end - keep;
            if (!Fill()) return false;
        }
        Octets += at + End.Length;
        start += at + End.Length;
        Messages++;
        return true;
    }

    private bool SkipChunk(ReadOnlySpan<byte> arguments)
    {
        if (!Utf8Parser.TryParse(arguments, out long left, out var digits)) return false;
        var last = digits < arguments.Length;
        Octets += left;
        while (left > end - start)
        {
            left -= end - start;
            start = end;
            if (!Fill()) return false;
        }
        start += (int)left;
        if (last) Messages++;
        return true;
    }

    private bool TryReadLine(out ReadOnlySpan<byte> line)
    {
        int at;
        while ((at = buffer.AsSpan(start, end - start).IndexOf("\r\n"u8)) < 0)
        {
            if (Fill()) continue;
            line = default;
            return false;
        }
        line = buffer.AsSpan(start, at);
        start += at + 2;
        return true;
    }

    private bool Fill()
    {
        Flush();
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        (start, end) = (0, end - start);
        var count = socket.Receive(buffer.AsSpan(end));
        end += count;
        return count > 0;
    }

    private void Reply(ReadOnlySpan<byte> text) => replies.Write(text);

    private void Flush()
    {
        if (replies.WrittenCount == 0) return;
        if (delay > 0) Task.Delay(TimeSpan.FromMilliseconds(delay), TimeProvider.System).Wait();
        socket.Send(replies.WrittenSpan);
        replies.ResetWrittenCount();
    }
}
