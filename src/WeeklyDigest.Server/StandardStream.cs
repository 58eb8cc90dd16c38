namespace WeeklyDigest.Server;

/// <summary>
/// A standard stream of the process. That it cannot be written, as on a full disk, stops nothing that the program does: the rest is left out,
/// and <see cref="Trouble"/> tells.
/// </summary>
/// <param name="inner">The stream.</param>
internal sealed class StandardStream(Stream inner) : Stream
{
    private volatile string? trouble;

    /// <summary>Why something could not be written, or null.</summary>
    public string? Trouble => trouble;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            inner.Write(buffer);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            trouble ??= failure.Message;
        }
    }

    public override void Flush()
    {
        // What writes at once has nothing to flush.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
