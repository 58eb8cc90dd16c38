using System.Buffers;
using System.Text;

namespace WeeklyDigest.Server.Inbox;

/// <summary>
/// Lines over one connection, in a buffer of fixed size. Replies wait until there is nothing left to read, so pipelined commands
/// (RFC 2920) are answered in one packet.
/// </summary>
internal sealed class InboxWire : IAsyncDisposable
{
    /// <summary>No line is longer, command or text.</summary>
    public const int LongestLine = 4096;

    private readonly Stream stream;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource silence;
    private readonly CancellationTokenSource over;
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
    private readonly StringBuilder replies = new();
    private int start;
    private int end;

    public InboxWire(Stream stream, TimeProvider time, CancellationToken stop)
    {
        this.stream = stream;
        this.time = time;
        silence = new CancellationTokenSource(LongestSilence, time);
        over = CancellationTokenSource.CreateLinkedTokenSource(stop, silence.Token);
    }

    /// <summary>How long the client may be silent: RFC 5321 section 4.5.3.2.7.</summary>
    public static TimeSpan LongestSilence { get; } = TimeSpan.FromMinutes(5);

    /// <summary>How long an answer may still take once it is over.</summary>
    public static TimeSpan LongestFarewell { get; } = TimeSpan.FromSeconds(2);

    public void Reply(string text) => replies.Append(text).Append("\r\n");

    /// <summary>Takes the next whole line with its end out of the buffer, when there is one.</summary>
    /// <param name="line">Up to and with LF; a longer line comes in pieces, of which only the last ends in LF. Valid until the next call.</param>
    public bool TryTakeLine(out ReadOnlySpan<byte> line)
    {
        var waiting = buffer.AsSpan(start, end - start);
        var length = waiting[..Math.Min(waiting.Length, LongestLine)].IndexOf((byte)'\n') + 1;
        if (length == 0 && waiting.Length >= LongestLine)
        {
            length = LongestLine;
        }

        line = waiting[..length];
        start += length;
        return length > 0;
    }

    /// <summary>Answers what was asked so far, and waits for more.</summary>
    /// <returns>False when the client closed.</returns>
    /// <exception cref="OperationCanceledException">The client was silent for too long, or the server ends.</exception>
    public async ValueTask<bool> FillAsync()
    {
        if (start > 0)
        {
            Buffer.BlockCopy(buffer, start, buffer, 0, end - start);
            end -= start;
            start = 0;
        }

        silence.CancelAfter(LongestSilence);
        await SendAsync();
        var read = await stream.ReadAsync(buffer.AsMemory(end), over.Token);
        end += read;
        return read > 0;
    }

    /// <summary>Sends the replies that wait, also when the server ends: who is not told that a message was kept sends it again.</summary>
    /// <exception cref="OperationCanceledException">It is over, and the client took no answer for <see cref="LongestFarewell"/>.</exception>
    public async Task SendAsync()
    {
        if (replies.Length > 0)
        {
            var bytes = Encoding.UTF8.GetBytes(replies.ToString());
            replies.Clear();
            using var limit = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
            using var ending = over.Token.Register(() => limit.CancelAfter(LongestFarewell));
            await stream.WriteAsync(bytes, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        over.Dispose();
        silence.Dispose();
        ArrayPool<byte>.Shared.Return(buffer);
        await stream.DisposeAsync();
    }
}
