using System.Net.Sockets;

namespace WeeklyDigest.Smtp;

/// <summary>
/// The socket beneath MailKit (and beneath TLS): puts small writes together, keeps the time limits, and knows whether the end of a
/// message can have left this machine.
/// </summary>
/// <remarks>
/// MailKit writes in blocks of 4 KB; here they become one write of the whole message in most cases. What is held back goes out with a flush,
/// but after <see cref="Seal"/> only when the reply is awaited: MailKit flushes once between the message and its final dot, and they belong together.
/// </remarks>
internal sealed class RelayStream(Socket socket, CancellationTokenSource lifetime) : Stream
{
    private readonly byte[] _held = GC.AllocateUninitializedArray<byte>(64 * 1024);
    private int _heldCount;
    private int _replyOctets;
    private bool _sealed;
    private bool _leaving;

    /// <summary>Whether the end of the message can have left: only the reply tells what became of it.</summary>
    public bool HandedOver { get; private set; }

    /// <summary>How often something was sent.</summary>
    public int Sendings { get; private set; }

    /// <summary>Whether nothing is there to be read. Between messages anything else means that the relay has closed, or is about to.</summary>
    public bool IsQuiet => !socket.Poll(0, SelectMode.SelectRead);

    /// <summary>A new message begins.</summary>
    public void Unseal() => _sealed = HandedOver = false;

    /// <summary>All of the message but its last octet has been written: whatever is sent from now on may carry its end.</summary>
    public void Seal() => _sealed = true;

    /// <summary>A message is over; nothing is awaited and no limit runs.</summary>
    public void Rest()
    {
        _sealed = false;
        lifetime.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    /// <summary>QUIT follows: from now on nothing is waited for longer than <see cref="RelayLimits.Quit"/>.</summary>
    public void Leave() => _leaving = true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_heldCount > 0) await SendHeldAsync(cancellationToken);
        var count = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
        if ((_replyOctets += count) > RelayLimits.ReplyOctets) throw new IOException("The relay's reply does not end.");
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_heldCount + buffer.Length > _held.Length) await SendHeldAsync(cancellationToken);
        if (buffer.Length > _held.Length)
        {
            await SendAsync(buffer, cancellationToken);
            return;
        }
        buffer.CopyTo(_held.AsMemory(_heldCount));
        _heldCount += buffer.Length;
    }

    public override Task FlushAsync(CancellationToken cancellationToken)
        => _heldCount > 0 && !_sealed ? SendHeldAsync(cancellationToken).AsTask() : Task.CompletedTask;

    private ValueTask SendHeldAsync(CancellationToken cancel)
    {
        var held = _held.AsMemory(0, _heldCount);
        _heldCount = 0;
        return SendAsync(held, cancel);
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        lifetime.CancelAfter(_leaving ? RelayLimits.Quit : _sealed ? RelayLimits.FinalReply : RelayLimits.Reply);
        _replyOctets = 0;
        Sendings++;
        try
        {
            while (bytes.Length > 0) bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancel)..];
        }
        catch (SocketException failure)
        {
            // The kernel took nothing of the call that failed, so the end of the message is still here: HandedOver stays as it was.
            throw new IOException(failure.Message, failure);
        }
        catch (OperationCanceledException) when (_sealed)
        {
            HandedOver = true;
            throw;
        }
        if (_sealed) HandedOver = true;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush() => throw new NotSupportedException("Asynchronous only.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Asynchronous only.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Asynchronous only.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) socket.Dispose();
        base.Dispose(disposing);
    }
}
