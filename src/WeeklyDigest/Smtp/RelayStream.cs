using System.Buffers;
using System.Net.Sockets;

namespace WeeklyDigest.Smtp;

/// <summary>
/// The socket beneath MailKit (and beneath TLS): puts small writes together, keeps the time limits, and knows whether the end of a
/// message can have left this machine.
/// </summary>
/// <remarks>
/// Blocks, as <see cref="OwnThread"/> tells why; when the connection's lifetime ends, the socket is closed and what blocks comes back.
/// MailKit writes in blocks of 4 KB; here they become one write of the whole message in most cases. What is held back goes out with a flush,
/// but after <see cref="Seal"/> only when the reply is awaited: MailKit flushes once between the message and its final dot, and they belong together.
/// </remarks>
internal sealed class RelayStream(Socket socket, CancellationTokenSource lifetime) : Stream
{
    /// <summary>The most that is put together into one write, in octets.</summary>
    public const int BlockSize = 64 * 1024;

    /// <summary>A connection that waits for an answer holds nothing, and most of them wait.</summary>
    private static readonly ArrayPool<byte> Blocks = ArrayPool<byte>.Create(BlockSize, maxArraysPerBucket: 32);

    private readonly CancellationTokenRegistration _end = lifetime.Token.UnsafeRegister(static state => ((Socket)state!).Dispose(), socket);
    private byte[]? _held;
    private int _heldCount;
    private int _replyOctets;
    private bool _sealed;
    private bool _leaving;
    private TimeSpan _replyLimit = RelayLimits.Opening;
    private Func<bool>? _leavingEnd;

    /// <summary>Whether the end of the message can have left: only the reply tells what became of it.</summary>
    public bool HandedOver { get; private set; }

    /// <summary>How often something was sent.</summary>
    public int Sendings { get; private set; }

    /// <summary>Whether nothing is there to be read. Between messages anything else means that the relay has closed, or is about to.</summary>
    public bool IsQuiet => !socket.Poll(0, SelectMode.SelectRead);

    /// <summary>A new message begins.</summary>
    /// <param name="leaving">Called before its end can leave; tells whether that may have taken long.</param>
    public void Unseal(Func<bool>? leaving)
    {
        _sealed = HandedOver = false;
        _leavingEnd = leaving;
    }

    /// <summary>All of the message but its last octet has been written: whatever is sent from now on may carry its end.</summary>
    public void Seal() => _sealed = true;

    /// <summary>The relay has let us in: from now on it may take longer, <see cref="RelayLimits.Reply"/>.</summary>
    public void Opened()
    {
        _replyLimit = RelayLimits.Reply;
        Rest();
    }

    /// <summary>A message is over; nothing is awaited and no limit runs.</summary>
    public void Rest()
    {
        _sealed = false;
        lifetime.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    /// <summary>QUIT follows: from now on nothing is waited for longer than <see cref="RelayLimits.Quit"/>.</summary>
    public void Leave() => _leaving = true;

    public override int Read(Span<byte> buffer)
    {
        if (_heldCount > 0) SendHeld();
        try
        {
            var count = socket.Receive(buffer, SocketFlags.None);
            if ((_replyOctets += count) > RelayLimits.ReplyOctets) throw new IOException("The relay's reply does not end.");
            return count;
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            throw new IOException(failure.Message, failure);
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_heldCount + buffer.Length > BlockSize) SendHeld();
        if (buffer.Length > BlockSize)
        {
            Send(buffer);
            return;
        }
        _held ??= Blocks.Rent(BlockSize);
        buffer.CopyTo(_held.AsSpan(_heldCount));
        _heldCount += buffer.Length;
    }

    public override void Flush()
    {
        if (_heldCount > 0 && !_sealed) SendHeld();
    }

    private void SendHeld()
    {
        if (_held is not { } held) return;
        var count = _heldCount;
        (_held, _heldCount) = (null, 0);
        Send(held.AsSpan(0, count));
        Blocks.Return(held);
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        lifetime.CancelAfter(_leaving ? RelayLimits.Quit : _sealed ? RelayLimits.FinalReply : _replyLimit);
        _replyOctets = 0;
        Sendings++;
        if (_sealed && TellLeaving()) LookAgain();
        try
        {
            while (bytes.Length > 0) bytes = bytes[socket.Send(bytes, SocketFlags.None)..];
        }
        catch (Exception) when (_sealed && lifetime.IsCancellationRequested)
        {
            HandedOver = true;
            throw;
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // The kernel took nothing of the call that failed, so the end of the message is still here: HandedOver stays as it was.
            throw new IOException(failure.Message, failure);
        }
        if (_sealed) HandedOver = true;
    }

    private bool TellLeaving()
    {
        var leaving = _leavingEnd;
        _leavingEnd = null;
        return leaving is not null && leaving();
    }

    // The limit may have struck, or the relay have hung up, while we waited for something else: then nothing of the end has left, and nobody needs to wonder.
    private void LookAgain()
    {
        lifetime.CancelAfter(RelayLimits.FinalReply);
        if (lifetime.IsCancellationRequested || !IsStillQuiet()) throw new IOException("The relay did not wait for the end of the message.");
    }

    private bool IsStillQuiet()
    {
        try
        {
            return IsQuiet;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _end.Dispose();
            socket.Dispose();
        }
        base.Dispose(disposing);
    }
}
